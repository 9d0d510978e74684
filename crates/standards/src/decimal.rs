use num_bigint::BigInt;
use num_rational::BigRational;

/// Longest decimal text; far beyond any quantity of the field.
const MAX_CHARACTERS: usize = 30;

/// Why a text is not a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Digits with at most one point between them.
    #[error("a quantity is written with digits and at most one point between them")]
    Malformed,
    /// Below zero.
    #[error("a quantity is not negative")]
    Negative,
}

/// The exact value of a decimal text such as `12.5`: no exponent, no sign, no rounding.
pub fn exact(text: &str) -> Result<BigRational, DecimalError> {
    if let Some(rest) = text.strip_prefix('-') {
        let is_number = exact(rest).is_ok();
        return Err(if is_number { DecimalError::Negative } else { DecimalError::Malformed });
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if text.len() > MAX_CHARACTERS || !is_number(whole) || !is_number(fraction) {
        return Err(DecimalError::Malformed);
    }
    let digits: BigInt =
        format!("{whole}{fraction}").parse().map_err(|_unreachable| DecimalError::Malformed)?;
    let places = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    Ok(BigRational::new(digits, BigInt::from(10).pow(places)))
}

/// The shortest decimal text of a value, exact: the way back from [`exact`]. A value without such a
/// text (one third) is written as the fraction it is, which no reader takes for a decimal.
#[must_use]
pub fn decimal_text(value: &BigRational) -> String {
    let ten = BigInt::from(10);
    let scaled = (0..MAX_CHARACTERS).find_map(|places| {
        let scaled = value * ten.pow(u32::try_from(places).ok()?);
        scaled.is_integer().then(|| (scaled.to_integer().to_string(), places))
    });
    match scaled {
        None => value.to_string(),
        Some((digits, 0)) => digits,
        Some((digits, places)) => {
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            format!("{whole}.{fraction}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        assert_eq!(exact("12.5"), Ok(BigRational::new(25.into(), 2.into())));
        assert_eq!(exact("0.1").unwrap() + exact("0.2").unwrap(), exact("0.3").unwrap());
    }

    #[test]
    fn a_decimal_is_written_in_its_shortest_form_and_read_back_as_the_same_value() {
        let smallest = format!("0.{}1", "0".repeat(27));
        for (text, shortest) in [
            ("12.50", "12.5"),
            ("007", "7"),
            ("0.0", "0"),
            ("0.05", "0.05"),
            ("1000", "1000"),
            (smallest.as_str(), smallest.as_str()),
        ] {
            let value = exact(text).unwrap();
            assert_eq!(decimal_text(&value), shortest);
            assert_eq!(exact(shortest), Ok(value));
        }
    }

    #[test]
    fn what_no_decimal_can_say_is_written_as_a_fraction() {
        assert_eq!(decimal_text(&BigRational::new(1.into(), 3.into())), "1/3");
    }

    #[test]
    fn what_is_not_a_decimal_is_refused() {
        for text in ["", ".", "1.", ".5", "1e3", "+1", "1,5", "1.2.3", "１", "--1", &"9".repeat(31)]
        {
            assert_eq!(exact(text), Err(DecimalError::Malformed), "{text}");
        }
        assert_eq!(exact("-1"), Err(DecimalError::Negative));
    }
}
