use std::sync::Arc;

use anyhow::{Context as _, Result};
use onenet_chassis::{Role, Telemetry, clock::NodeClock, config::Settings};
use onenet_kernel::Clock;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::heard_to_stop;
use crate::{
    cli::{self, Serve, say},
    contexts,
};

/// Roles of one context, until the process is asked to stop.
pub(crate) async fn run(options: Serve) -> Result<()> {
    let chosen = contexts::chosen(Some(&options.context))?;
    let mut settings = Settings::read(&options.settings.config)?;
    if let Some(listen) = options.listen {
        settings.server.listen = listen;
    }
    let telemetry = Telemetry::start(&settings.telemetry, &options.context)?;
    let roles: Vec<Role> = options.role.into_iter().map(Role::from).collect();
    // before it says that it listens: whoever reads that may ask it to stop
    let (stop, asked) = (CancellationToken::new(), heard_to_stop()?);
    let stopping = stop.clone();
    tokio::spawn(async move {
        asked.await;
        stopping.cancel();
    });
    let listener = if roles.contains(&Role::Api) {
        let bound = TcpListener::bind(settings.server.listen).await;
        let listener = bound.with_context(|| format!("listening on {}", settings.server.listen))?;
        say(&format!("{} 正在监听 / is listening on {}", options.context, listener.local_addr()?));
        Some(listener)
    } else {
        None
    };
    let clock: Arc<dyn Clock> = NodeClock::new();
    let settings = Arc::new(settings);
    let outcome = onenet_chassis::run(&chosen, &settings, &roles, listener, &clock, &stop).await;
    telemetry.stop().await;
    Ok(outcome?)
}

impl From<cli::Role> for Role {
    fn from(role: cli::Role) -> Self {
        match role {
            cli::Role::Api => Self::Api,
            cli::Role::Project => Self::Project,
            cli::Role::Relay => Self::Relay,
            cli::Role::React => Self::React,
            cli::Role::Clock => Self::Clock,
        }
    }
}
