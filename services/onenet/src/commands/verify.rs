use anyhow::{Result, ensure};
use onenet_chassis::{config::Settings, tools};
use onenet_eventstore::verify;

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
        let (log, ..) = tools(&context, &settings).await?;
        let (mut reached, mut told) = (0, 0);
        let found = verify(&log, |position| {
            reached = position;
            if position >= told + TELL_EVERY {
                told = position;
                complain(&format!("{}: {position}", context.name));
            }
        })
        .await?;
        for flaw in &found {
            say(&format!("{} {}: {}", context.name, flaw.position, flaw.what));
        }
        flaws += found.len();
        say(&format!(
            "{}: {reached} 个事件 / events, {} 处缺陷 / flaws",
            context.name,
            found.len()
        ));
    }
    ensure!(flaws == 0, "{flaws} flaws: stop writing, and see docs/runbooks/restoring.md");
    Ok(())
}
