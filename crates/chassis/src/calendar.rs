use std::{collections::HashSet, fs, time::Duration};

use onenet_eventstore::{Db, Fire, armed};
use onenet_standards::Calendar;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    StartError,
    config::{ConfigError, RuleSettings},
};

impl RuleSettings {
    /// The calendar that working days are counted with: the configured one, or that of the program.
    pub fn calendar(&self) -> Result<Calendar, StartError> {
        let setting = "rules.holidays";
        let Some(path) = &self.holidays else {
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
}

/// How soon a deadline is looked at that another process has counted with an older calendar.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Lets `recount` look once at each deadline that runs as a timer of this name, at the start and when
/// one was armed since: what was counted beyond the last holiday notice may move with the notices of
/// this start. Until `stop`.
pub async fn recount_deadlines(db: &Db, name: &str, recount: impl Fire, stop: &CancellationToken) {
    let mut looked_at: HashSet<Uuid> = HashSet::new();
    while !stop.is_cancelled() {
        match armed(db, name).await {
            Ok(timers) => {
                let mut running = HashSet::new();
                for timer in timers {
                    if looked_at.contains(&timer.armed_by) || stop.is_cancelled() {
                        running.insert(timer.armed_by);
                        continue;
                    }
                    match recount.fire(&timer).await {
                        Ok(()) => drop(running.insert(timer.armed_by)),
                        Err(error) => tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            stream = %timer.stream,
                            "a deadline is counted anew later"
                        ),
                    }
                }
                looked_at = running;
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "deadlines are counted anew later"
            ),
        }
        stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
    }
}
