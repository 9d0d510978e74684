use anyhow::{Context as _, Result, ensure};
use onenet_chassis::{config::Settings, tools};
use onenet_eventstore::{Parked, list_parked, replay_parked};

use crate::{
    cli::{Dlq, DlqWhat, say},
    contexts,
};

/// Parked events read at once.
const PAGE: u32 = 500;

/// What followers could not handle: to be seen, mended and handled after all.
pub(crate) async fn run(options: Dlq) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    match options.what {
        DlqWhat::List { context } => list(&settings, context.as_deref()).await,
        DlqWhat::Show { context, number } => show(&settings, &context, number).await,
        DlqWhat::Replay { context, number } => replay(&settings, &context, number).await,
    }
}

async fn list(settings: &Settings, context: Option<&str>) -> Result<()> {
    let mut count = 0;
    for context in contexts::chosen(context)? {
        let (log, ..) = tools(&context, settings).await?;
        let mut after = 0;
        loop {
            let page = list_parked(log.db(), after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.arrival;
            count += page.len();
            for parked in &page {
                say(&line(context.name, parked));
            }
        }
    }
    say(&format!("{count} 个事件被搁置 / events are parked"));
    Ok(())
}

fn line(context: &str, parked: &Parked) -> String {
    format!(
        "{context} {} {} {} {} {} {}",
        parked.arrival,
        parked.state.as_str(),
        parked.follower,
        parked.event.key.subject,
        parked.event.event_type,
        parked.reason
    )
}

async fn show(settings: &Settings, context: &str, number: i64) -> Result<()> {
    for context in contexts::chosen(Some(context))? {
        let (log, ..) = tools(&context, settings).await?;
        let found = list_parked(log.db(), number - 1, 1).await?;
        let parked = found.first().filter(|parked| parked.arrival == number);
        let parked = parked.with_context(|| format!("nothing with number {number} is parked"))?;
        say(&format!("{}\n\n{:#?}", line(context.name, parked), parked.event));
    }
    Ok(())
}

async fn replay(settings: &Settings, context: &str, number: i64) -> Result<()> {
    for context in contexts::chosen(Some(context))? {
        let (log, ..) = tools(&context, settings).await?;
        let is_poisoned = replay_parked(log.db(), number).await?;
        ensure!(
            is_poisoned,
            "nothing poisoned has number {number}: what waits or queues is tried by itself"
        );
        say("将重试 / it is tried again, and then what queues behind it");
    }
    Ok(())
}
