//! What a node holds, as files for other programs.

mod blacklist;
mod events;
mod lines;

use anyhow::Result;
use onenet_chassis::config::Settings;

use crate::cli::{Export, ExportWhat};

/// Reads with the settings of the node, as its operator.
pub(crate) async fn run(options: Export) -> Result<()> {
    let settings = Settings::read(&options.settings.config)?;
    match options.what {
        ExportWhat::Events(wanted) => events::export(&settings, &wanted).await,
        ExportWhat::Blacklist { to } => blacklist::export(&settings, &to).await,
    }
}
