//! Pictures of a report: how each figure stands to its bar, and each curve.

use std::fmt::{self, Write as _};

use crate::{
    Report, Spread,
    figure::{Point, Standing},
};

const WIDTH: f64 = 820.0;
const LINE: f64 = 24.0;
/// Left of the drawing, for names; right of it, for figures.
const LEFT: f64 = 330.0;
const RIGHT: f64 = 70.0;
const INSIDE: f64 = WIDTH - LEFT - RIGHT;
/// What is further beyond its bar is cut off: the others could not be read otherwise.
const MOST_TIMES: f64 = 3.0;
const CURVE_HEIGHT: f64 = 260.0;
const MARGIN: f64 = 40.0;

impl Report {
    /// Names of files, and the SVG in each: one of all figures that have a bar, one of each curve.
    pub fn plots(&self) -> Result<Vec<(String, String)>, fmt::Error> {
        let mut plots = Vec::new();
        let figures = self.rows.iter().flat_map(|(row, _, _, figures)| {
            figures.iter().map(move |figure| (row.as_str(), figure))
        });
        let mut standings = Vec::new();
        let mut curves: Vec<(&str, Vec<Point<'_>>)> = Vec::new();
        for (row, figure) in figures {
            let standing = figure.standing();
            standings.extend(standing.map(|it| (format!("{row}: {}", figure.case()), it)));
            let Some(point) = figure.point() else { continue };
            match curves.iter_mut().find(|(curve, _)| *curve == point.curve) {
                Some((_, points)) => points.push(point),
                None => curves.push((point.curve, vec![point])),
            }
        }
        if !standings.is_empty() {
            plots.push(("bars.svg".to_owned(), bars(&standings)?));
        }
        for (name, points) in &curves {
            let file = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            plots.push((format!("{file}.svg"), curve(name, points)?));
        }
        Ok(plots)
    }
}

/// A line for each figure; 1 is the bar, and longer is better.
fn bars(standings: &[(String, Standing)]) -> Result<String, fmt::Error> {
    let x = |times: f64| LEFT + times.min(MOST_TIMES) / MOST_TIMES * INSIDE;
    let mut svg = String::new();
    text(&mut svg, (LEFT, LINE * 0.7), "start", "times the bar; ○ is what to reach for")?;
    let mut y = LINE;
    for (name, Standing { times, reach }) in standings {
        let (middle, colour) =
            (y + LINE * 0.65, if times.median < 1.0 { "#c0392b" } else { "#2e86ab" });
        text(&mut svg, (LEFT - 8.0, middle), "end", name)?;
        let (top, thick, long) = (y + 5.0, LINE - 10.0, x(times.median) - LEFT);
        write!(
            svg,
            r#"<rect x="{LEFT}" y="{top}" width="{long:.1}" height="{thick}" fill="{colour}"/>"#
        )?;
        whisker(&mut svg, (x(times.least), y + LINE / 2.0), (x(times.most), y + LINE / 2.0))?;
        circle(&mut svg, (x(*reach), y + LINE / 2.0), "none")?;
        text(&mut svg, (WIDTH - RIGHT + 8.0, middle), "start", &format!("{:.2}", times.median))?;
        y += LINE;
    }
    line(&mut svg, (x(1.0), LINE), (x(1.0), y), "black")?;
    Ok(picture(y + LINE, &svg))
}

/// The ratio over a logarithmic axis.
fn curve(name: &str, points: &[Point<'_>]) -> Result<String, fmt::Error> {
    let at = |point: &Point<'_>| log(point.at);
    let first = points.iter().map(at).fold(f64::INFINITY, f64::min);
    let last = points.iter().map(at).fold(f64::NEG_INFINITY, f64::max);
    let most = points.iter().map(|point| point.ratio.most).fold(1.0, f64::max) * 1.1;
    let x =
        |at: f64| MARGIN * 2.0 + (at - first) / (last - first).max(1e-9) * (WIDTH - MARGIN * 5.0);
    let y = |ratio: f64| MARGIN + (1.0 - ratio / most) * CURVE_HEIGHT;
    let mut svg = String::new();
    text(&mut svg, (MARGIN, MARGIN * 0.6), "start", &format!("{name}: ratio to the other side"))?;
    for level in [0.0, 0.25, 0.5, 0.75, 1.0].map(|part| part * most) {
        line(&mut svg, (MARGIN, y(level)), (WIDTH - MARGIN, y(level)), "#ddd")?;
        text(&mut svg, (MARGIN - 4.0, y(level) + 4.0), "end", &format!("{level:.1}"))?;
    }
    let mut path = String::new();
    for point in points {
        let (Spread { median, least, most }, across) = (point.ratio, x(at(point)));
        write!(path, "{across:.1},{:.1} ", y(median))?;
        whisker(&mut svg, (across, y(least)), (across, y(most)))?;
        circle(&mut svg, (across, y(median)), "#2e86ab")?;
        text(&mut svg, (across + 8.0, y(median) - 6.0), "start", &format!("{median:.2}"))?;
        text(&mut svg, (across, MARGIN * 1.5 + CURVE_HEIGHT), "middle", &point.at.to_string())?;
    }
    write!(svg, r##"<polyline points="{path}" fill="none" stroke="#2e86ab" stroke-width="2"/>"##)?;
    Ok(picture(CURVE_HEIGHT + 2.0 * MARGIN, &svg))
}

#[expect(clippy::cast_precision_loss, reason = "no axis is longer than 2^52")]
fn log(of: u64) -> f64 {
    (of.max(1) as f64).log10()
}

fn picture(height: f64, inside: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>{inside}</svg>
"#
    )
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, says: &str) -> fmt::Result {
    let says = says.replace('&', "&amp;").replace('<', "&lt;");
    write!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{says}</text>"#)
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) -> fmt::Result {
    let ((x1, y1), (x2, y2)) = (from, to);
    write!(svg, r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}"/>"#)
}

/// From the smallest to the largest.
fn whisker(svg: &mut String, least: (f64, f64), most: (f64, f64)) -> fmt::Result {
    line(svg, least, most, "#555")
}

fn circle(svg: &mut String, (x, y): (f64, f64), fill: &str) -> fmt::Result {
    write!(svg, r##"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="{fill}" stroke="#555"/>"##)
}
