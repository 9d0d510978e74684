//! What is wrong with an installation, and what to do: each thing looked at by itself, so that one that
//! fails hides none of the others. Changes nothing.

mod contexts;
mod machine;
#[cfg(test)]
mod tests;

use std::error::Error;

use anyhow::{Result, ensure};
use onenet_chassis::config::Settings;

use crate::cli::{Doctor, say};

/// How a thing stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    /// It works, and may not for long; or nobody is working.
    Warning,
    Wrong,
}

/// Says each finding at once, and counts.
#[derive(Default)]
struct Report {
    warnings: usize,
    wrong: usize,
}

impl Report {
    fn ok(&mut self, what: &str) {
        self.tell(State::Ok, what, "");
    }

    fn warn(&mut self, what: &str, advice: &str) {
        self.tell(State::Warning, what, advice);
    }

    fn wrong(&mut self, what: &str, advice: &str) {
        self.tell(State::Wrong, what, advice);
    }

    /// Something could not be looked at, or was refused.
    fn failed(&mut self, what: &str, error: &dyn Error, advice: &str) {
        let mut text = format!("{what}: {error}");
        let mut source = error.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        self.wrong(&text, advice);
    }

    fn tell(&mut self, state: State, what: &str, advice: &str) {
        let word = match state {
            State::Ok => "正常 ok",
            State::Warning => "注意 warning",
            State::Wrong => "错误 wrong",
        };
        self.warnings += usize::from(state == State::Warning);
        self.wrong += usize::from(state == State::Wrong);
        let advice = if advice.is_empty() { String::new() } else { format!("\n    → {advice}") };
        say(&format!("[{word}] {what}{advice}"));
    }
}

/// Ends badly if anything is wrong; warnings alone do not.
pub(crate) async fn run(options: Doctor) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    let mut report = Report::default();
    report.ok(&format!("设置 / settings {}", options.settings.config.display()));
    machine::look(&mut report, &settings, &options);
    contexts::look(&mut report, &settings).await;
    let Report { warnings, wrong } = report;
    say(&format!("{wrong} 处错误 / wrong, {warnings} 处注意 / warnings"));
    ensure!(wrong == 0, "{wrong} 处错误须处理 / things are wrong: see what → says of each");
    Ok(())
}
