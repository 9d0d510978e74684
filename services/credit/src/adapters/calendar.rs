use std::fs;

use onenet_chassis::{
    StartError,
    config::{ConfigError, RuleSettings},
};
use onenet_standards::Calendar;

/// The calendar that working days are counted with: the configured one, or that of the program.
pub(crate) fn read(rules: &RuleSettings) -> Result<Calendar, StartError> {
    let setting = "rules.holidays";
    let Some(path) = &rules.holidays else {
        return Ok(Calendar::embedded()?);
    };
    let text = fs::read_to_string(path).map_err(|source| {
        let path = path.clone();
        ConfigError::File { setting, path, source }
    })?;
    let calendar = Calendar::from_csv(&text).map_err(|error| {
        let reason = error.to_string();
        ConfigError::Value { setting, reason }
    })?;
    Ok(calendar)
}
