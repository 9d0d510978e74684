use anyhow::Result;
use onenet_chassis::{config::Settings, prepare};

use crate::{
    cli::{Migrate, say},
    contexts,
};

/// Schemas and topics, of one context or of all.
pub(crate) async fn run(options: &Migrate) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    for context in contexts::chosen(options.context.as_deref())? {
        prepare(&context, &settings).await?;
        say(&format!("{}: schemas and topics are up to date", context.name));
    }
    Ok(())
}
