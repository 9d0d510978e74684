use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::clocks::{Clocks, Environment};

/// Pause between two looks at whether it is still there.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Pause before one that ended by itself is started again, as a supervisor of production makes it.
const START_AFTER: Duration = Duration::from_millis(500);

/// What is run, where its output goes, and by which clocks: each start draws one.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) words: Vec<OsString>,
    pub(crate) log: PathBuf,
    pub(crate) clocks: Arc<Clocks>,
}

/// A process that is started again whenever it has ended, and is gone when this is dropped.
///
/// A thread of its own starts it and waits with it: the kernel ends the process when that thread dies, so it
/// must live as long as whoever runs the torture, however that ends.
pub(crate) struct Supervised {
    kills: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Supervised {
    pub(crate) fn start(program: Program) -> Self {
        let (kills, inbox) = mpsc::channel();
        // here, so that those who start one after the other draw so
        let clock = program.clocks.draw();
        let thread = thread::spawn(move || supervise(&program, clock, &inbox));
        Self { kills: Some(kills), thread: Some(thread) }
    }

    /// Ends it where it stands; it is started again at once.
    pub(crate) fn kill(&self) {
        if let Some(kills) = &self.kills {
            kills.send(()).ok();
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.kills = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn supervise(program: &Program, mut clock: Environment, inbox: &mpsc::Receiver<()>) {
    loop {
        let pause = match program.spawn(clock) {
            Ok(child) => match attend(child, inbox) {
                Ended::Killed => Duration::ZERO,
                Ended::ByItself => START_AFTER,
                Ended::Dropped => return,
            },
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, program = %program.path.display(), "not started");
                START_AFTER
            }
        };
        if matches!(inbox.recv_timeout(pause), Err(RecvTimeoutError::Disconnected)) {
            return;
        }
        clock = program.clocks.draw();
    }
}

enum Ended {
    Killed,
    ByItself,
    Dropped,
}

fn attend(mut child: Child, inbox: &mpsc::Receiver<()>) -> Ended {
    let ended = loop {
        match inbox.recv_timeout(LOOK_EVERY) {
            Ok(()) => break Ended::Killed,
            Err(RecvTimeoutError::Disconnected) => break Ended::Dropped,
            Err(RecvTimeoutError::Timeout) => match child.try_wait() {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return Ended::ByItself,
            },
        }
    };
    child.kill().ok();
    child.wait().ok();
    ended
}

impl Program {
    fn spawn(&self, clock: Environment) -> io::Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(&self.path)
            .args(&self.words)
            .envs(clock)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // an interrupt from the terminal is for the owner
            .process_group(0)
            .spawn()
    }
}
