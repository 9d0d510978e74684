use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{DevServerError, Postgres, PostgresOptions, process::until};

/// How long a standby may take to catch up, or to become a primary.
const WITHIN: Duration = Duration::from_mins(1);

impl Postgres {
    /// Starts a standby over `dir`: a copy of this server under the name `name`, a word, that follows
    /// what is written here, asynchronously. It answers reads, and when this server is gone it can be
    /// promoted. A slot of its name keeps what it has yet to fetch.
    pub fn standby(&self, dir: &Path, name: &str) -> Result<Self, DevServerError> {
        let origin = format!("{}?application_name={name}", self.url("postgres"));
        let options = PostgresOptions::default();
        let standby = Self::launch(dir, Some(self.password()), &options, |site, data| {
            let words = ["-R", "-X", "stream", "-c", "fast", "-C", "-S", name, "-d", &origin, "-D"];
            let words = words.into_iter().map(Into::into).chain([data.into()]);
            site.run("pg_basebackup", words.collect())
        })?;
        let streams = format!(
            "select count(*) from pg_stat_replication
                where application_name = '{name}' and state = 'streaming'"
        );
        self.wait(&streams, name, "streaming")?;
        Ok(standby)
    }

    /// From now on a commit is answered when this standby has it on its disk as well: `ANY 1 (name)`.
    pub fn commits_wait_for(&self, name: &str) -> Result<(), DevServerError> {
        self.ask(&format!("alter system set synchronous_standby_names = 'ANY 1 ({name})'"))?;
        self.ask("select pg_reload_conf()")?;
        let counts = format!(
            "select count(*) from pg_stat_replication
                where application_name = '{name}' and sync_state in ('sync', 'quorum')"
        );
        self.wait(&counts, name, "synchronous")
    }

    /// Makes a primary of a standby, with everything that has reached it.
    pub fn promote(&self) -> Result<(), DevServerError> {
        self.ask(&format!("select pg_promote(true, {})", WITHIN.as_secs())).map(drop)
    }

    fn wait(&self, counts: &str, name: &str, state: &'static str) -> Result<(), DevServerError> {
        let mut answer = Ok(String::new());
        until(WITHIN, || {
            answer = self.ask(counts);
            answer.as_deref().map_or(true, |count| count == "1")
        });
        if answer? == "1" {
            return Ok(());
        }
        Err(DevServerError::Standby { name: name.to_owned(), state, seconds: WITHIN.as_secs() })
    }

    /// One statement as the superuser; the answer's one value.
    fn ask(&self, statement: &str) -> Result<String, DevServerError> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-w", "-A", "-t", "-d", &self.url("postgres"), "-c", statement])
            .stdin(Stdio::null())
            .output()
            .map_err(|source| DevServerError::Spawn { program: "psql".to_owned(), source })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(DevServerError::Refused { statement: statement.to_owned(), said })
    }
}
