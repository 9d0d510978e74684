use serde::de::DeserializeOwned;

/// A table that came with the program is not what the program expects: somebody edited it.
#[derive(Debug, thiserror::Error)]
#[error("table {table}: {reason}")]
pub struct TableError {
    /// Its file name.
    pub table: &'static str,
    /// Where and why.
    pub reason: String,
}

impl TableError {
    pub(crate) fn new(table: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { table, reason: reason.to_string() }
    }
}

/// Rows of a CSV file whose first line, a comment, is its source.
pub(crate) fn rows<T: DeserializeOwned>(
    table: &'static str,
    text: &str,
) -> Result<Vec<T>, TableError> {
    csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|error| TableError::new(table, error))
}
