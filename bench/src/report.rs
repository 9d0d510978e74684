use std::fmt;

use serde::Serialize;

use crate::{Figure, Machine};

/// Everything of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What it ran on.
    pub machine: Machine,
    /// Turns of each side.
    pub rounds: usize,
    /// Seconds of a turn.
    pub turn_seconds: f64,
    /// Row by row: its name, what it is, what against, and its figures.
    pub rows: Vec<(String, String, String, Vec<Figure>)>,
}

impl fmt::Display for Report {
    /// As Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, memory_mb, kernel, load_before, postgres, is_release } =
            &self.machine;
        writeln!(
            f,
            "{processor}, {memory_mb} MB, Linux {kernel}, load before {load_before}; {postgres}; "
        )?;
        writeln!(
            f,
            "{} rounds of {} s for each side, in turns; median (least – most){}\n",
            self.rounds,
            self.turn_seconds,
            if *is_release { "" } else { "; **not a release build: figures say nothing**" }
        )?;
        writeln!(f, "| Row | Case | Ratio | Bar | onenet | the other | CPU µs per event |")?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for (name, _, _, figures) in &self.rows {
            for figure in figures {
                writeln!(f, "| {name} {figure}")?;
            }
        }
        Ok(())
    }
}
