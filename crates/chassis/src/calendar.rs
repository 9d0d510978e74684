use std::{collections::HashSet, fs, time::Duration};

use onenet_eventstore::{Db, Fire, Timer, armed, new_owner, while_leader};
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

/// How soon a deadline is looked at that another process has counted with another calendar.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Lets `recount` look once at each deadline that runs as a timer of this name, at the start and when
/// one was armed since: notices of this start may say otherwise than those it was counted with. Until
/// `stop`.
///
/// One process of a context does so at a time: two with other notices would move a deadline to and fro.
pub async fn recount_deadlines(db: &Db, name: &str, recount: impl Fire, stop: &CancellationToken) {
    let recount = &recount;
    while_leader(db, "recount", new_owner(), stop, |_, lost| async move {
        let mut looked_at = HashSet::new();
        while !lost.is_cancelled() {
            match armed(db, name).await {
                Ok(timers) => looked_at = look(timers, &looked_at, recount, &lost).await,
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "deadlines are counted anew later"
                ),
            }
            lost.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
        }
    })
    .await;
}

/// Looks at those deadlines that were not looked at; answers which need no further look, by the event
/// that armed them.
async fn look(
    timers: Vec<Timer>,
    looked_at: &HashSet<Uuid>,
    recount: &impl Fire,
    lost: &CancellationToken,
) -> HashSet<Uuid> {
    let mut done = HashSet::new();
    for timer in timers {
        if looked_at.contains(&timer.armed_by) {
            done.insert(timer.armed_by);
            continue;
        }
        if lost.is_cancelled() {
            break;
        }
        match recount.fire(&timer).await {
            Ok(()) => drop(done.insert(timer.armed_by)),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                stream = %timer.stream,
                "a deadline is counted anew later"
            ),
        }
    }
    done
}
