use std::{fmt, str::FromStr};

/// No I, O, S, V, Z (GB 32100-2015).
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// 3 to the power of the place, modulo 31.
const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// What is written for an individual business that has no code. It names nobody.
const PLACEHOLDER: &str = "00000000000000000X";

/// Unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters, the last of which
/// checks the others. Places 3 to 8 are the division at issue, never the present jurisdiction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uscc(String);

/// Why a text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsccError {
    /// A code has 18 characters.
    #[error("a code has 18 characters, not {actual}")]
    Length {
        /// How many there are.
        actual: usize,
    },
    /// The alphabet has digits and capital letters without I, O, S, V and Z.
    #[error("the character at place {place} does not occur in codes")]
    Character {
        /// Counted from 1.
        place: usize,
    },
    /// Seventeen zeros and an X stand for "has no code".
    #[error("this stands for having no code")]
    Placeholder,
    /// A character was mistyped, or two were exchanged.
    #[error("the check character does not fit the others")]
    CheckCharacter,
}

impl Uscc {
    /// The code as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code that starts with these 17 characters.
    pub fn from_body(body: &str) -> Result<Self, UsccError> {
        let check = check_character(body.as_bytes())?;
        format!("{body}{check}").parse()
    }
}

impl FromStr for Uscc {
    type Err = UsccError;

    fn from_str(text: &str) -> Result<Self, UsccError> {
        if text == PLACEHOLDER {
            return Err(UsccError::Placeholder);
        }
        let characters = text.chars().count();
        if characters != 18 || text.len() != 18 {
            return Err(UsccError::Length { actual: characters });
        }
        let (body, check) = text.as_bytes().split_at(17);
        place_in_alphabet(check[0]).ok_or(UsccError::Character { place: 18 })?;
        if check_character(body)? != char::from(check[0]) {
            return Err(UsccError::CheckCharacter);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_character(body: &[u8]) -> Result<char, UsccError> {
    if body.len() != WEIGHTS.len() {
        return Err(UsccError::Length { actual: body.len() + 1 });
    }
    let mut sum = 0;
    for (place, (character, weight)) in body.iter().zip(WEIGHTS).enumerate() {
        let value =
            place_in_alphabet(*character).ok_or(UsccError::Character { place: place + 1 })?;
        sum += value * weight;
    }
    Ok(char::from(ALPHABET[(31 - sum % 31) % 31]))
}

fn place_in_alphabet(character: u8) -> Option<usize> {
    ALPHABET.iter().position(|letter| *letter == character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_codes_pass_and_every_mistyped_character_is_noticed() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/data/identifiers.json")).unwrap();
        let published = vectors["uscc"]["test_vectors_valid"].as_array().unwrap();
        assert!(!published.is_empty());
        for code in published {
            let code = code.as_str().unwrap();
            assert_eq!(code.parse::<Uscc>().unwrap().as_str(), code);
            assert_eq!(Uscc::from_body(&code[..17]).unwrap().as_str(), code);
            for place in 0..18 {
                for letter in ALPHABET {
                    let mut wrong = code.as_bytes().to_vec();
                    if wrong[place] != *letter {
                        wrong[place] = *letter;
                        let wrong = String::from_utf8(wrong).unwrap();
                        assert_eq!(
                            wrong.parse::<Uscc>(),
                            Err(UsccError::CheckCharacter),
                            "{wrong}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_code_says_why() {
        let reason = |text: &str| text.parse::<Uscc>().unwrap_err();
        assert_eq!(reason("00000000000000000X"), UsccError::Placeholder);
        assert_eq!(reason("91230500MA1B3N1N2"), UsccError::Length { actual: 17 });
        assert_eq!(reason(""), UsccError::Length { actual: 0 });
        assert_eq!(reason("9123050OMA1B3N1N2M"), UsccError::Character { place: 8 });
        assert_eq!(reason("91230500MA1B3N1N2m"), UsccError::Character { place: 18 });
        assert_eq!(reason("９1230500MA1B3N1N2M"), UsccError::Length { actual: 18 });
    }
}
