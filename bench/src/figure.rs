use std::fmt;

use anyhow::Result;
use serde::Serialize;

use crate::{
    contest::Turn,
    latency::{Latencies, Quantiles, millis},
};

/// A median with the smallest and the largest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half are below it.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of these values; zero of none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match (values.len() % 2, values.get(middle)) {
            (0, Some(upper)) => f64::midpoint(values[middle - 1], *upper),
            (_, Some(value)) => *value,
            (_, None) => 0.0,
        };
        let [least, most] = [values.first(), values.last()].map(|end| end.copied().unwrap_or(0.0));
        Self { median, least, most }
    }

    /// Of what becomes of these values.
    fn map(self, of: impl Fn(f64) -> f64) -> Self {
        let [median, one, other] = [self.median, self.least, self.most].map(of);
        Self { median, least: one.min(other), most: one.max(other) }
    }
}

/// Where a row has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// The ratio is at least so much; and what to reach for.
    AtLeast(f64, f64),
    /// 99 of 100 take at most so many milliseconds; and what to reach for.
    Within(f64, f64),
    /// 99 of 100 take at most so many times as long; and what to reach for.
    AtMostTimes(f64, f64),
}

/// One side of a contest.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Side {
    name: String,
    events_per_second: Spread,
    /// None where it was not measured.
    processor_us_per_event: Option<Spread>,
    #[serde(skip)]
    turns: Vec<Turn>,
}

impl Side {
    pub(crate) fn new(name: &str, turns: Vec<Turn>) -> Self {
        let processor: Option<Vec<f64>> = turns
            .iter()
            .map(|turn| Some(turn.processor?.as_secs_f64() * 1e6 / count(turn).max(1.0)))
            .collect();
        Self {
            name: name.to_owned(),
            events_per_second: Spread::of(turns.iter().map(rate)),
            processor_us_per_event: processor.map(Spread::of),
            turns,
        }
    }

    fn processor(&self) -> String {
        let median = self.processor_us_per_event.map(|spread| format!("{:.0}", spread.median));
        median.unwrap_or_else(|| "–".to_owned())
    }
}

#[expect(clippy::cast_precision_loss, reason = "no run has 2^52 events")]
fn count(turn: &Turn) -> f64 {
    turn.events as f64
}

fn rate(turn: &Turn) -> f64 {
    count(turn) / turn.took.as_secs_f64()
}

/// What was measured of one case of a row.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    case: String,
    outcome: Outcome,
    bar: Option<Bar>,
    /// The curve that it is a point of, and where on it.
    point: Option<(String, u64)>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ratio {
        ratio: Spread,
        ours: Side,
        theirs: Side,
    },
    Latency {
        load: String,
        quantiles: Quantiles,
    },
    /// What 99 of 100 take, over what they take on the other side.
    Slower {
        load: String,
        ratio: Spread,
        ours: Quantiles,
        theirs_name: String,
        theirs: Quantiles,
    },
    /// Something that is compared with nothing.
    Amount {
        amount: f64,
        unit: String,
        how: String,
    },
    /// What it is compared with is not there, and why.
    Missing {
        peer: String,
        reason: String,
    },
}

impl Figure {
    fn new(case: impl Into<String>, outcome: Outcome) -> Self {
        Self { case: case.into(), outcome, bar: None, point: None }
    }

    pub(crate) fn ratio(case: impl Into<String>, ours: Side, theirs: Side) -> Self {
        let pairs = ours.turns.iter().zip(&theirs.turns);
        let ratio = Spread::of(pairs.map(|(ours, theirs)| rate(ours) / rate(theirs)));
        Self::new(case, Outcome::Ratio { ratio, ours, theirs })
    }

    pub(crate) fn latency(case: impl Into<String>, load: String, quantiles: Quantiles) -> Self {
        Self::new(case, Outcome::Latency { load, quantiles })
    }

    /// From the turns of both sides, round by round; quantiles are those of all turns together.
    pub(crate) fn slower(
        case: impl Into<String>,
        load: String,
        ours: &[Latencies],
        (theirs_name, theirs): (&str, &[Latencies]),
    ) -> Result<Self> {
        let p99 = |turn: &Latencies| millis(turn.quantiles().p99_us);
        let ratio =
            Spread::of(ours.iter().zip(theirs).map(|(ours, theirs)| p99(ours) / p99(theirs)));
        let ours = Latencies::together(ours)?.quantiles();
        let theirs = Latencies::together(theirs)?.quantiles();
        let theirs_name = theirs_name.to_owned();
        let outcome = Outcome::Slower { load, ratio, ours, theirs_name, theirs };
        Ok(Self::new(case, outcome))
    }

    /// So much of `unit`, and how it was found.
    pub(crate) fn amount(case: impl Into<String>, amount: f64, unit: &str, how: &str) -> Self {
        let outcome = Outcome::Amount { amount, unit: unit.to_owned(), how: how.to_owned() };
        Self::new(case, outcome)
    }

    pub(crate) fn missing(case: impl Into<String>, peer: &str, reason: String) -> Self {
        Self::new(case, Outcome::Missing { peer: peer.to_owned(), reason })
    }

    /// The bar that this case is held against.
    #[must_use]
    pub(crate) fn with(self, bar: Bar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    /// Makes it a point of a curve.
    #[must_use]
    pub(crate) fn on(self, curve: &str, at: u64) -> Self {
        Self { point: Some((curve.to_owned(), at)), ..self }
    }

    /// Whether it is where it has to be; nothing where nothing is asked of it, or nothing could be
    /// compared.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        self.standing().map(|standing| standing.times.median >= 1.0)
    }

    /// How it stands to its bar.
    pub(crate) fn standing(&self) -> Option<Standing> {
        match (&self.outcome, self.bar?) {
            (Outcome::Ratio { ratio, .. }, Bar::AtLeast(bar, reach)) => {
                Some(Standing { times: ratio.map(|ratio| ratio / bar), reach: reach / bar })
            }
            (Outcome::Latency { quantiles, .. }, Bar::Within(bar, reach)) => {
                let times = Spread::of([bar / millis(quantiles.p99_us)]);
                Some(Standing { times, reach: bar / reach })
            }
            (Outcome::Slower { ratio, .. }, Bar::AtMostTimes(bar, reach)) => {
                Some(Standing { times: ratio.map(|ratio| bar / ratio), reach: bar / reach })
            }
            _ => None,
        }
    }

    pub(crate) fn case(&self) -> &str {
        &self.case
    }

    /// Where it stands on its curve.
    pub(crate) fn point(&self) -> Option<Point<'_>> {
        let (curve, at) = self.point.as_ref()?;
        let (Outcome::Ratio { ratio, .. } | Outcome::Slower { ratio, .. }) = &self.outcome else {
            return None;
        };
        Some(Point { curve, at: *at, ratio: *ratio })
    }
}

/// A figure beside its bar: 1 is the bar, and more is better.
pub(crate) struct Standing {
    pub(crate) times: Spread,
    pub(crate) reach: f64,
}

/// A point of a curve.
pub(crate) struct Point<'a> {
    pub(crate) curve: &'a str,
    pub(crate) at: u64,
    pub(crate) ratio: Spread,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bar = self.bar.map_or_else(|| "–".to_owned(), |bar| bar.to_string());
        let mark = match self.holds() {
            Some(true) => " ✓",
            Some(false) => " **short**",
            None => "",
        };
        let case = &self.case;
        match &self.outcome {
            Outcome::Ratio { ratio, ours, theirs } => write!(
                f,
                "| {case} | {:.2} ({:.2} – {:.2}) | {bar}{mark} | {:.0}/s | {}: {:.0}/s | {} / {} |",
                ratio.median,
                ratio.least,
                ratio.most,
                ours.events_per_second.median,
                theirs.name,
                theirs.events_per_second.median,
                ours.processor(),
                theirs.processor(),
            ),
            Outcome::Latency { load, quantiles } => {
                write!(f, "| {case} | – | {bar}{mark} | {quantiles} | at {load} | – |")
            }
            Outcome::Slower { load, ratio, ours, theirs_name, theirs } => write!(
                f,
                "| {case} | {:.2} ({:.2} – {:.2}) | {bar}{mark} | {ours} at {load} | {theirs_name}: {theirs} | – |",
                ratio.median, ratio.least, ratio.most,
            ),
            Outcome::Amount { amount, unit, how } => {
                write!(f, "| {case} | – | {bar} | {amount:.1} {unit} | {how} | – |")
            }
            Outcome::Missing { peer, reason } => {
                write!(f, "| {case} | – | {bar} | – | {peer}: **missing**, {reason} | – |")
            }
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bar, reach) => write!(f, "≥ {bar} (reach for {reach})"),
            Self::Within(bar, reach) => write!(f, "p99 ≤ {bar} ms (reach for {reach})"),
            Self::AtMostTimes(bar, reach) => write!(f, "p99 ≤ {bar} × (reach for {reach})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_its_median_between_its_ends() {
        let of = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(of(&[3.0, 1.0, 2.0]), Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert_eq!(of(&[4.0, 1.0]), Spread { median: 2.5, least: 1.0, most: 4.0 });
        assert_eq!(of(&[]), Spread { median: 0.0, least: 0.0, most: 0.0 });
    }
}
