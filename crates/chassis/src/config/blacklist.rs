use onenet_standards::{Uscc, UsccError};
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Who reads the blacklist (失信联合惩戒平台).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlacklistSettings {
    /// USCCs of the agencies that have to acknowledge every removal: until all have, it is open.
    pub readers: Vec<String>,
}

impl BlacklistSettings {
    /// The readers, each once.
    pub fn readers(&self) -> Result<Vec<Uscc>, ConfigError> {
        let read = |code: &String| {
            code.parse().map_err(|error: UsccError| ConfigError::Value {
                setting: "blacklist.readers",
                reason: format!("{code}: {error}"),
            })
        };
        let mut readers: Vec<Uscc> = self.readers.iter().map(read).collect::<Result<_, _>>()?;
        readers.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        readers.dedup();
        Ok(readers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readers(codes: &[&str]) -> Result<Vec<Uscc>, ConfigError> {
        let readers = codes.iter().map(|&code| code.to_owned()).collect();
        BlacklistSettings { readers }.readers()
    }

    #[test]
    fn a_reader_is_named_once_and_by_a_right_code() {
        let platform = "91230500MA1B3N1N2M";
        assert_eq!(readers(&[platform, platform]).unwrap().len(), 1);
        let wrong = readers(&[platform, "91230500MA1B3N1N2N"]).unwrap_err().to_string();
        assert!(wrong.contains("blacklist.readers"), "{wrong}");
        assert!(wrong.contains("91230500MA1B3N1N2N"), "{wrong}");
    }
}
