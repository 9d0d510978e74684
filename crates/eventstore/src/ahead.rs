use std::collections::VecDeque;

use onenet_kernel::Recorded;
use tokio::task::{JoinError, JoinHandle};

use crate::{db::DbError, log::PgLog};

/// Pages that are read while the caller is busy with one: server and reader then work at the same time.
const AHEAD: u64 = 3;

/// A log read page by page by somebody who is behind. Positions have no gap, so where a full page will end
/// is known before it is read, and with it where the next one begins.
pub struct ReadAhead {
    log: PgLog,
    size: u32,
    under_way: VecDeque<Reading>,
}

struct Reading {
    above: u64,
    page: JoinHandle<Result<Vec<Recorded>, DbError>>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.page.abort();
    }
}

impl ReadAhead {
    /// In pages of so many events.
    #[must_use]
    pub fn new(log: PgLog, size: u32) -> Self {
        Self { log, size, under_way: VecDeque::new() }
    }

    /// As [`PgLog::read`]. What comes behind a full page is on its way when it answers, and used if the next
    /// question is for that. That there is nothing is always asked anew: it was true before the question.
    pub async fn read(&mut self, above: u64) -> Result<Vec<Recorded>, DbError> {
        while self.under_way.front().is_some_and(|reading| reading.above != above) {
            self.under_way.pop_front();
        }
        let ahead = match self.under_way.pop_front() {
            Some(mut reading) => (&mut reading.page).await.unwrap_or_else(gone)?,
            None => Vec::new(),
        };
        let page = if ahead.is_empty() { self.log.read(above, self.size).await? } else { ahead };
        if page.len() == self.size as usize {
            self.go_ahead(above);
        } else {
            // what is appended from now on stands right behind this page
            self.under_way.clear();
        }
        Ok(page)
    }

    fn go_ahead(&mut self, above: u64) {
        for n in 1..=AHEAD {
            let above = above + n * u64::from(self.size);
            if self.under_way.iter().all(|reading| reading.above < above) {
                let (log, size) = (self.log.clone(), self.size);
                let page = tokio::spawn(async move { log.read(above, size).await });
                self.under_way.push_back(Reading { above, page });
            }
        }
    }
}

fn gone(join: JoinError) -> Result<Vec<Recorded>, DbError> {
    let stopped = sqlx::Error::Io(std::io::Error::other(join));
    Err(DbError::while_("reading the log ahead")(stopped))
}
