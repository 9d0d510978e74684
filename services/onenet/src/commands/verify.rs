use anyhow::{Result, ensure};
use onenet_chassis::{config::Settings, open_log};
use onenet_eventstore::{PgLog, verify};

use crate::{
    cli::{Verify, complain, say},
    contexts,
};

/// Positions between two lines of progress.
const TELL_EVERY: u64 = 100_000;

/// Every event of every log, against what a log promises.
pub(crate) async fn run(options: Verify) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    let mut flaws = 0;
    for context in contexts::chosen(options.context.as_deref())? {
        // the feed is a log of its own beside that of its context
        for schema in std::iter::once(&context.name).chain(context.further_logs) {
            flaws += read(schema, &open_log(&settings, schema).await?).await?;
        }
    }
    ensure!(flaws == 0, "{flaws} flaws: stop writing, and see docs/runbooks/restoring.md");
    Ok(())
}

/// Answers how many flaws it has said.
async fn read(schema: &str, log: &PgLog) -> Result<usize> {
    let (mut reached, mut told) = (0, 0);
    let found = verify(log, |position| {
        reached = position;
        if position >= told + TELL_EVERY {
            told = position;
            complain(&format!("{schema}: {position}"));
        }
    })
    .await?;
    for flaw in &found {
        say(&format!("{schema} {}: {}", flaw.position, flaw.what));
    }
    say(&format!("{schema}: {reached} 个事件 / events, {} 处缺陷 / flaws", found.len()));
    Ok(found.len())
}
