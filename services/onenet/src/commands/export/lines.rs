use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Write},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cli::{ExportTo, Format};

/// A field of a line: its name in JSON, its heading in a table, its value.
pub(super) type Field = (&'static str, &'static str, Value);

/// Where lines go, and how they are written.
pub(super) struct Lines {
    out: Box<dyn Write>,
    format: Format,
    needs_headings: bool,
}

impl Lines {
    /// A new file, or the standard output.
    pub(super) fn begin(to: &ExportTo) -> Result<Self> {
        let out: Box<dyn Write> = match &to.output {
            None => Box::new(io::stdout()),
            Some(path) => Box::new(File::create_new(path).with_context(|| {
                format!(
                    "creating {}; to go on with it, name the last position in it with --after",
                    path.display()
                )
            })?),
        };
        Ok(Self { out: Box::new(BufWriter::new(out)), format: to.format, needs_headings: true })
    }

    /// Goes on with a file behind the line of this position; what stands after that line is cut off, since
    /// an export that was killed may have written part of a line. Begins where there is no file.
    pub(super) fn resume(to: &ExportTo, after: u64) -> Result<Self> {
        let Some(path) = to.output.as_deref().filter(|path| path.exists()) else {
            return Self::begin(to);
        };
        let mut file = OpenOptions::new().read(true).append(true).open(path)?;
        let end = end_of(&mut file, &first_of(to.format, after), path)?;
        file.set_len(end).with_context(|| format!("cutting {}", path.display()))?;
        let out = Box::new(BufWriter::new(file));
        Ok(Self { out, format: to.format, needs_headings: false })
    }

    /// Writes a line; a table begins with its headings.
    pub(super) fn write(&mut self, fields: &[Field]) -> Result<()> {
        match self.format {
            Format::Jsonl => {
                let object: Vec<String> = fields
                    .iter()
                    .filter(|(_, _, value)| !value.is_null())
                    .map(|(name, _, value)| format!("\"{name}\":{value}"))
                    .collect();
                writeln!(self.out, "{{{}}}", object.join(","))?;
            }
            Format::Csv => {
                if std::mem::take(&mut self.needs_headings) {
                    self.row(fields.iter().map(|(_, heading, _)| (*heading).to_owned()))?;
                }
                self.row(fields.iter().map(|(_, _, value)| cell(value)))?;
            }
        }
        Ok(())
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) -> Result<()> {
        let mut row = csv::Writer::from_writer(&mut self.out);
        row.write_record(cells)?;
        row.flush()?;
        Ok(())
    }

    /// What was written so far is with the reader or the file.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.out.flush().context("writing the export")
    }
}

/// What the line of a position begins with.
fn first_of(format: Format, position: u64) -> String {
    match format {
        Format::Jsonl => format!("{{\"logposition\":\"{position}\","),
        Format::Csv => format!("{position},"),
    }
}

fn end_of(file: &mut File, first: &str, path: &Path) -> Result<u64> {
    let (mut reader, mut line, mut end) = (BufReader::new(file), Vec::new(), 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 {
            bail!("{} has no line that begins with {first}", path.display());
        }
        end += u64::try_from(read)?;
        if line.starts_with(first.as_bytes()) && line.ends_with(b"\n") {
            return Ok(end);
        }
    }
}

/// A cell that a spreadsheet shows and does not calculate.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(format: Format, path: &Path) -> ExportTo {
        ExportTo { format, output: Some(path.to_owned()) }
    }

    fn fields(position: u64, text: &str) -> Vec<Field> {
        vec![
            ("logposition", "位置 / position", position.to_string().into()),
            ("data", "内容 / data", text.into()),
            ("causationid", "起因 / causation", Value::Null),
        ]
    }

    #[test]
    fn a_cell_never_is_a_formula() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut lines = Lines::begin(&to(Format::Csv, &path)).unwrap();
        for text in ["=1+1", "+1", "-1", "@x", "\t=1", "某公司, \"甲\""] {
            lines.write(&fields(1, text)).unwrap();
        }
        drop(lines);
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.starts_with("位置 / position,内容 / data,起因 / causation\n"), "{written}");
        for cell in
            ["1,'=1+1,", "1,'+1,", "1,'-1,", "1,'@x,", "1,'\t=1,", "1,\"某公司, \"\"甲\"\"\","]
        {
            assert!(written.contains(cell), "{cell} in {written}");
        }
        assert!(Lines::begin(&to(Format::Csv, &path)).is_err(), "no file is written over");
    }

    #[test]
    fn an_export_goes_on_behind_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        for (format, name) in [(Format::Csv, "out.csv"), (Format::Jsonl, "out.jsonl")] {
            let path = folder.path().join(name);
            let to = to(format, &path);
            let mut lines = Lines::begin(&to).unwrap();
            for position in 1..=3 {
                lines.write(&fields(position, "x")).unwrap();
            }
            drop(lines);
            let whole = std::fs::read_to_string(&path).unwrap();
            // killed inside the third
            std::fs::write(&path, &whole[..whole.len() - 4]).unwrap();
            assert!(Lines::resume(&to, 3).is_err(), "the third is no whole line");
            let mut lines = Lines::resume(&to, 2).unwrap();
            lines.write(&fields(3, "x")).unwrap();
            drop(lines);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
    }
}
