//! The certificates of the running server: read again and again, and replaced without a restart.

use std::{sync::Arc, time::Duration};

use onenet_kernel::Clock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{ConfigError, ServerTls, Settings, TlsDigest, TlsFiles};

/// How often the files are looked at. A change is judged once it has stood from one look to the next:
/// certificate and key are two files, and a list of authorities that is cut off can still be read.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the server shows and whom it accepts, until the files say something else that can be used.
pub(crate) struct Certificates {
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    in_use: watch::Sender<ServerTls>,
    /// What the last look found: the files, or why they could not be read.
    found: Result<TlsDigest, String>,
    /// Why what is there now is not taken; said once.
    refused: Option<String>,
}

impl Certificates {
    /// Those to begin with.
    pub(crate) fn read(
        settings: &Arc<Settings>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let tls = settings.tls(clock)?;
        Ok(Self {
            settings: Arc::clone(settings),
            clock: Arc::clone(clock),
            found: Ok(tls.digest),
            in_use: watch::Sender::new(tls),
            refused: None,
        })
    }

    /// Those for the next connection. A connection keeps what it began with; a session of one begun
    /// under other certificates is not resumed, since each has its own store of sessions.
    pub(crate) fn in_use(&self) -> watch::Receiver<ServerTls> {
        self.in_use.subscribe()
    }

    /// Looks at the files until `stop`.
    pub(crate) async fn keep(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            self.look();
        }
    }

    fn look(&mut self) {
        let files = TlsFiles::read(&self.settings.server);
        let found = files.as_ref().map(TlsFiles::digest).map_err(ToString::to_string);
        let stands = self.found == found;
        let is_in_use = found == Ok(self.in_use.borrow().digest);
        self.found = found;
        if is_in_use {
            self.refused = None;
        } else if stands {
            match files.and_then(|files| files.judge(&self.clock)) {
                Ok(tls) => self.replace(tls),
                Err(error) => self.refuse(&error),
            }
        }
    }

    fn replace(&mut self, tls: ServerTls) {
        tracing::info!(until = %tls.validity.until, "certificates replaced");
        self.refused = None;
        self.in_use.send_replace(tls);
    }

    fn refuse(&mut self, error: &ConfigError) {
        let reason = error.to_string();
        if self.refused.as_ref() != Some(&reason) {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, "new certificates are not taken; the server keeps those it has");
            self.refused = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests;
