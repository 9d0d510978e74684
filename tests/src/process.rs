//! Processes for tests to kill. A test may end abruptly, and so may these.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

/// A process of ours, and the lines it has said so far.
pub struct Process {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    hearing: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a program and hears what it says.
    #[must_use]
    pub fn start(program: impl AsRef<OsStr>, words: &[&str]) -> Self {
        Self::start_with(program, words, &[])
    }

    /// The same, with settings in its environment.
    #[must_use]
    pub fn start_with(
        program: impl AsRef<OsStr>,
        words: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(program);
        command.args(words).envs(settings.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (lines, heard) = (BufReader::new(child.stdout.take().unwrap()).lines(), said.clone());
        let hearing = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().unwrap().push(line);
            }
        });
        Self { child, said, hearing: Some(hearing) }
    }

    /// The lines it has said so far.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// What it holds in memory, in MiB.
    #[must_use]
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        held.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// Waits until it has said so many lines.
    pub async fn until_said(&self, lines: usize, what: &str) {
        until(what, async || self.said().len() >= lines).await;
    }

    /// Kills it; answers everything it said, up to its last line.
    #[expect(clippy::must_use_candidate, reason = "most kill it and ask nothing")]
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if let Some(hearing) = self.hearing.take() {
            hearing.join().unwrap();
        }
        self.said()
    }
}

impl Process {
    /// Asks it to stop.
    pub fn terminate(&self) {
        // the shell's own: a bare machine has no program of that name
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended; answers whether it ended well.
    pub async fn ended(mut self) -> bool {
        let mut status = None;
        until("the end of a process", async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.is_some_and(|status| status.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Level-triggered: looks until it is so, for a minute at most.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_mins(1), asking).await;
    assert!(asked.is_ok(), "{what} did not come within a minute");
}
