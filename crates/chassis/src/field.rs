//! Reading the fields of a request: each function takes the field's path and answers its value or the
//! refusal that names it. The shapes are those that `proto/onenet/common/v1/values.proto` promises.

use std::{collections::HashSet, hash::Hash};

use jiff::civil::Date;
use num_rational::BigRational;
use onenet_kernel::Digest;
use onenet_proto::common::v1::ErrorReason;
use onenet_standards::{DecimalError, Industries, IndustryCode, Uscc, UsccError, exact};
use uuid::Uuid;

use crate::Refusal;

/// Longest name of an organisation, a division or a unit.
pub const NAME: usize = 200;
/// Longest ground, reason or purpose.
pub const REASON: usize = 2_000;
/// Longest citation of a law or document.
pub const LEGAL_BASIS: usize = 2_048;
/// Longest document number as written.
pub const DOCUMENT_NUMBER: usize = 128;
/// Longest account of facts.
pub const SUMMARY: usize = 4_000;

/// A field that must be there.
pub fn required<T>(path: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| missing(path))
}

/// The refusal of an absent field.
#[must_use]
pub fn missing(path: &str) -> Refusal {
    Refusal::field(ErrorReason::FieldMissing, path, "is required")
}

/// The refusal of a field without its shape.
pub fn malformed(path: &str, needed: impl std::fmt::Display) -> Refusal {
    Refusal::field(ErrorReason::FieldMalformed, path, needed)
}

/// The refusal of a field that may not be given here.
pub fn not_allowed(path: &str, why: impl std::fmt::Display) -> Refusal {
    Refusal::field(ErrorReason::FieldNotAllowed, path, why)
}

/// A text of 1 to `most` characters without U+0000.
pub fn text(path: &str, value: &str, most: usize) -> Result<String, Refusal> {
    if value.trim().is_empty() {
        return Err(missing(path));
    }
    if value.contains('\0') {
        return Err(Refusal::field(ErrorReason::TextHasNul, path, "contains U+0000"));
    }
    let length = value.chars().count();
    if length > most {
        let message = format!("has {length} characters, at most {most} are allowed");
        return Err(Refusal::field(ErrorReason::TextTooLong, path, message));
    }
    Ok(value.to_owned())
}

/// A unified social credit code (统一社会信用代码) with a right check character.
pub fn uscc(path: &str, value: &str) -> Result<Uscc, Refusal> {
    if value.is_empty() {
        return Err(missing(path));
    }
    value.parse().map_err(|error: UsccError| {
        let reason = match error {
            UsccError::Placeholder => ErrorReason::UsccPlaceholder,
            UsccError::CheckCharacter => ErrorReason::UsccCheckCharacter,
            UsccError::Length { .. } | UsccError::Character { .. } => ErrorReason::FieldMalformed,
        };
        Refusal::field(reason, path, error)
    })
}

/// A UUID in lower case with hyphens.
pub fn uuid(path: &str, value: &str) -> Result<Uuid, Refusal> {
    if value.is_empty() {
        return Err(missing(path));
    }
    let id = Uuid::try_parse(value).ok().filter(|id| id.to_string() == value && !id.is_nil());
    id.ok_or_else(|| malformed(path, "is no UUID in lower case with hyphens"))
}

/// A SHA-256 in lower-case hexadecimal.
pub fn sha256(path: &str, value: &str) -> Result<Digest, Refusal> {
    if value.is_empty() {
        return Err(missing(path));
    }
    let mut digest = Digest::default();
    let is_lower = !value.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(value, &mut digest) {
        Ok(()) if is_lower => Ok(digest),
        _ => Err(malformed(path, "is not 64 lower-case hexadecimal digits")),
    }
}

/// A day, `YYYY-MM-DD`.
pub fn day(path: &str, value: &str) -> Result<Date, Refusal> {
    if value.is_empty() {
        return Err(missing(path));
    }
    let day = value.parse::<Date>().ok().filter(|day| day.to_string() == value);
    day.ok_or_else(|| malformed(path, "is no day of the form YYYY-MM-DD"))
}

/// A day on which something is said to have happened.
pub fn past_day(path: &str, value: &str, today: Date) -> Result<Date, Refusal> {
    let day = day(path, value)?;
    if day > today {
        let message = format!("lies after today, {today} in Beijing");
        return Err(Refusal::field(ErrorReason::DateInFuture, path, message));
    }
    Ok(day)
}

/// A period from its first day up to, but not including, the other; `path` is that of the last day.
pub fn period(path: &str, from: Date, to: Option<Date>) -> Result<(), Refusal> {
    if to.is_some_and(|to| to <= from) {
        return Err(Refusal::field(
            ErrorReason::PeriodInverted,
            path,
            format!("is not after {from}"),
        ));
    }
    Ok(())
}

/// A decimal, zero or above.
pub fn decimal(path: &str, value: &str) -> Result<BigRational, Refusal> {
    if value.is_empty() {
        return Err(missing(path));
    }
    exact(value).map_err(|error| {
        let reason = match error {
            DecimalError::Malformed => ErrorReason::FieldMalformed,
            DecimalError::Negative => ErrorReason::NumberOutOfRange,
        };
        Refusal::field(reason, path, error)
    })
}

/// A decimal above zero.
pub fn positive_decimal(path: &str, value: &str) -> Result<BigRational, Refusal> {
    let number = decimal(path, value)?;
    if number == BigRational::from_integer(0.into()) {
        return Err(Refusal::field(ErrorReason::NumberOutOfRange, path, "is zero"));
    }
    Ok(number)
}

/// One of an enum's values; the one that says nothing counts as missing.
pub fn choice<E: TryFrom<i32>>(path: &str, value: i32) -> Result<E, Refusal> {
    if value == 0 {
        return Err(missing(path));
    }
    E::try_from(value).map_err(|_unknown| {
        Refusal::field(
            ErrorReason::EnumUnknown,
            path,
            format!("has no value {value} in this contract"),
        )
    })
}

/// A choice in a filter, where saying nothing means all.
pub fn filter_choice<E: TryFrom<i32>>(path: &str, value: i32) -> Result<Option<E>, Refusal> {
    if value == 0 { Ok(None) } else { choice(path, value).map(Some) }
}

/// A list of `least` to `most` items.
pub fn list<'a, T>(
    path: &str,
    items: &'a [T],
    least: usize,
    most: usize,
) -> Result<&'a [T], Refusal> {
    if items.len() < least {
        return Err(missing(path));
    }
    if items.len() > most {
        let message = format!("has {} items, at most {most} are allowed", items.len());
        return Err(Refusal::field(ErrorReason::ListTooLong, path, message));
    }
    Ok(items)
}

/// A list that holds each item once.
pub fn distinct<T: Eq + Hash>(path: &str, items: &[T]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    match items.iter().position(|item| !seen.insert(item)) {
        Some(n) => Err(malformed(&at(path, n), "stands in the list already")),
        None => Ok(()),
    }
}

/// The path of an item of a list.
#[must_use]
pub fn at(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// A division code of 2, 4, 6 or 9 digits.
pub fn division(path: &str, value: &str) -> Result<String, Refusal> {
    if value.is_empty() {
        return Err(missing(path));
    }
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !matches!(value.len(), 2 | 4 | 6 | 9) {
        return Err(malformed(path, "is no division code of 2, 4, 6 or 9 digits"));
    }
    Ok(value.to_owned())
}

/// A class of GB/T 4754, four digits.
pub fn industry(path: &str, value: &str, industries: &Industries) -> Result<IndustryCode, Refusal> {
    let code = industry_prefix(path, value, industries)?;
    if value.len() != 4 {
        return Err(malformed(path, "is no class of four digits"));
    }
    Ok(code)
}

/// A prefix of GB/T 4754 codes: a division, a group or a class.
pub fn industry_prefix(
    path: &str,
    value: &str,
    industries: &Industries,
) -> Result<IndustryCode, Refusal> {
    if value.is_empty() {
        return Err(missing(path));
    }
    industries.find(value).ok_or_else(|| {
        Refusal::field(ErrorReason::IndustryUnknown, path, "is no code of GB/T 4754-2017")
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_shape_is_refused_for_its_own_reason() {
        let reason = |refused: Option<Refusal>| refused.unwrap().reason();
        assert_eq!(reason(text("a", "", 3).err()), "ERROR_REASON_FIELD_MISSING");
        assert_eq!(reason(text("a", "四个字符", 3).err()), "ERROR_REASON_TEXT_TOO_LONG");
        assert_eq!(reason(text("a", "a\0", 3).err()), "ERROR_REASON_TEXT_HAS_NUL");
        assert_eq!(reason(uscc("a", "00000000000000000X").err()), "ERROR_REASON_USCC_PLACEHOLDER");
        assert_eq!(
            reason(uscc("a", "91230500MA1B3N1N2N").err()),
            "ERROR_REASON_USCC_CHECK_CHARACTER"
        );
        assert_eq!(reason(uuid("a", "0190F").err()), "ERROR_REASON_FIELD_MALFORMED");
        assert_eq!(reason(sha256("a", "").err()), "ERROR_REASON_FIELD_MISSING");
        assert_eq!(reason(sha256("a", &"AB".repeat(32)).err()), "ERROR_REASON_FIELD_MALFORMED");
        assert_eq!(reason(sha256("a", &"ab".repeat(31)).err()), "ERROR_REASON_FIELD_MALFORMED");
        assert_eq!(sha256("a", &"ab".repeat(32)).ok(), Some([0xab; 32]));
        assert_eq!(reason(day("a", "2026-02-30").err()), "ERROR_REASON_FIELD_MALFORMED");
        let today = date(2026, 11, 24);
        assert!(past_day("a", "2026-11-24", today).is_ok());
        assert_eq!(reason(past_day("a", "2026-11-25", today).err()), "ERROR_REASON_DATE_IN_FUTURE");
        assert_eq!(reason(period("a", today, Some(today)).err()), "ERROR_REASON_PERIOD_INVERTED");
        assert_eq!(reason(positive_decimal("a", "0.0").err()), "ERROR_REASON_NUMBER_OUT_OF_RANGE");
        assert_eq!(reason(decimal("a", "-1").err()), "ERROR_REASON_NUMBER_OUT_OF_RANGE");
        assert_eq!(reason(list("a", &[1, 2, 3], 1, 2).err()), "ERROR_REASON_LIST_TOO_LONG");
        assert_eq!(reason(distinct("a", &[1, 2, 1]).err()), "ERROR_REASON_FIELD_MALFORMED");
        let industries = Industries::embedded().unwrap();
        assert_eq!(
            reason(industry("a", "9999", &industries).err()),
            "ERROR_REASON_INDUSTRY_UNKNOWN"
        );
        assert_eq!(reason(industry("a", "26", &industries).err()), "ERROR_REASON_FIELD_MALFORMED");
    }

    #[test]
    fn an_enum_is_read_by_its_contract() {
        use onenet_proto::enterprise::v1::Tier;
        assert_eq!(choice::<Tier>("tier", 3).ok(), Some(Tier::City));
        assert_eq!(choice::<Tier>("tier", 0).unwrap_err().reason(), "ERROR_REASON_FIELD_MISSING");
        assert_eq!(choice::<Tier>("tier", 99).unwrap_err().reason(), "ERROR_REASON_ENUM_UNKNOWN");
        assert_eq!(filter_choice::<Tier>("tier", 0).ok(), Some(None));
    }
}
