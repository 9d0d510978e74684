use std::{io, path::PathBuf};

/// Why a server is not running.
#[derive(Debug, thiserror::Error)]
pub enum DevServerError {
    /// A program that is needed is not on this machine.
    #[error("{program} was not found: install package {package} (`scripts/setup` does)")]
    Missing {
        /// What was looked for.
        program: &'static str,
        /// Debian's package that holds it.
        package: &'static str,
    },
    /// The data directory or a file in it cannot be used.
    #[error("{doing} {}", path.display())]
    Files {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// Another process owns the directory.
    #[error("{} belongs to a process that is running: stop it, or choose another folder", dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// A program could not be started.
    #[error("starting {program}")]
    Spawn {
        /// Its name.
        program: String,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// A program ended with an error, or a server before it was ready.
    #[error("{program} ended; the end of {}:\n{tail}", log.display())]
    Ended {
        /// Its name.
        program: String,
        /// Its whole output.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// A server runs but does not answer.
    #[error("{program} did not answer within {seconds} s; the end of {}:\n{tail}", log.display())]
    Silent {
        /// Its name.
        program: String,
        /// How long it was waited for.
        seconds: u64,
        /// Its whole output.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// PostgreSQL refused a statement.
    #[error("{statement}: {said}")]
    Refused {
        /// What it was told.
        statement: String,
        /// What it said.
        said: String,
    },
    /// A standby did not become what it was to be.
    #[error("standby {name} was not {state} within {seconds} s")]
    Standby {
        /// Its `application_name`.
        name: String,
        /// What it was waited for to be.
        state: &'static str,
        /// How long.
        seconds: u64,
    },
    /// A key or a certificate could not be made or read.
    #[error("{doing}")]
    Certificate {
        /// What was being done.
        doing: &'static str,
        /// What failed.
        #[source]
        source: rcgen::Error,
    },
    /// No port of the range could be had.
    #[error("no free loopback port between {from} and {to} was found")]
    NoPort {
        /// Lowest port tried.
        from: u16,
        /// First port above those tried.
        to: u16,
    },
    /// The server that all tests share could not be started.
    #[error("the shared {server} is not running: {reason}")]
    Shared {
        /// Which.
        server: &'static str,
        /// What its start said.
        reason: String,
    },
}

impl DevServerError {
    pub(crate) fn files(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Files { doing, path, source }
    }
}
