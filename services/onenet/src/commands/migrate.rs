use anyhow::{Result, bail};
use onenet_chassis::{config::Settings, prepare};

use crate::{
    cli::{Migrate, say},
    contexts,
};

/// Schemas and topics, of one context or of all.
pub(crate) async fn run(options: &Migrate) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    let wanted = options.context.as_deref();
    if let Some(name) = wanted.filter(|name| contexts::named(name).is_none()) {
        bail!("there is no context {name}; there are {}", contexts::names());
    }
    for context in contexts::all() {
        if wanted.is_none_or(|name| name == context.name) {
            prepare(&context, &settings).await?;
            say(&format!("{}: schemas and topics are up to date", context.name));
        }
    }
    Ok(())
}
