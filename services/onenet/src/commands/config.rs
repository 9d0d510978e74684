use std::sync::Arc;

use anyhow::{Context as _, Result};
use onenet_chassis::{Policies, config::Settings, day::SystemClock};
use onenet_kernel::Clock;

use crate::{
    cli::{Config, ConfigWhat, say},
    contexts,
};

/// The settings as a process would run with them.
pub(crate) fn run(options: &Config) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    match options.what {
        ConfigWhat::Print => {
            say(toml::to_string_pretty(&settings).context("writing the settings")?.trim_end());
        }
        ConfigWhat::Check => {
            settings.operator()?;
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            settings.tls(&clock)?;
            settings.check_kafka_tls(clock.now())?;
            settings.blacklist.readers()?;
            for context in contexts::all() {
                settings.database(context.name)?;
                Policies::read(context.name, context.policies)?;
            }
            say(&format!("good; contexts: {}", contexts::names()));
        }
    }
    Ok(())
}
