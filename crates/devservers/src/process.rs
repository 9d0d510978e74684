use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::DevServerError;

/// Pause between two looks at something that is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How long a server may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// The user a private server runs as where its owner is root.
#[derive(Clone, Debug)]
pub(crate) struct Unprivileged {
    uid: String,
    gid: String,
}

impl Unprivileged {
    /// `None` where we are not root; `postgres` if there is such a user, otherwise `nobody`.
    pub(crate) fn needed() -> Option<Self> {
        if id(&["-u"])? != "0" {
            return None;
        }
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Some(Self { uid: id(&["-u", name])?, gid: id(&["-g", name])? }))
    }

    pub(crate) fn own(&self, path: &Path) -> Result<(), DevServerError> {
        let owner = format!("{}:{}", self.uid, self.gid);
        let given = Command::new("chown").arg("-R").arg(owner).arg(path).status();
        given.map(drop).map_err(DevServerError::files("giving to the unprivileged user", path))
    }
}

fn id(args: &[&str]) -> Option<String> {
    let output = Command::new("id").args(args).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A program to run: as whom, with what, and where its output goes.
pub(crate) struct Program<'a> {
    pub(crate) path: &'a Path,
    pub(crate) args: Vec<OsString>,
    pub(crate) user: Option<&'a Unprivileged>,
    pub(crate) log: PathBuf,
}

impl Program<'_> {
    /// Runs it to its end.
    pub(crate) fn run(&self) -> Result<(), DevServerError> {
        let mut child = self.spawn("KILL")?;
        let status = child.wait().map_err(|source| self.not_started(source))?;
        if status.success() { Ok(()) } else { Err(self.ended()) }
    }

    /// Its last words.
    pub(crate) fn ended(&self) -> DevServerError {
        DevServerError::Ended { program: self.name(), log: self.log.clone(), tail: self.tail() }
    }

    pub(crate) fn silent(&self, waited: Duration) -> DevServerError {
        let (program, log, tail) = (self.name(), self.log.clone(), self.tail());
        DevServerError::Silent { program, seconds: waited.as_secs(), log, tail }
    }

    pub(crate) fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// The kernel sends `signal` when the thread that calls this dies.
    fn spawn(&self, signal: &str) -> Result<Child, DevServerError> {
        let log = self.open_log()?;
        let errors = log.try_clone().map_err(|source| self.not_started(source))?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", signal]);
        if let Some(user) = self.user {
            command.args(["--reuid", &user.uid, "--regid", &user.gid, "--clear-groups"]);
        }
        command
            .arg(self.path)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .current_dir("/")
            // an interrupt from the terminal is for the owner, who stops its servers in order
            .process_group(0)
            .spawn()
            .map_err(|source| self.not_started(source))
    }

    fn open_log(&self) -> Result<File, DevServerError> {
        let opened = OpenOptions::new().create(true).append(true).open(&self.log);
        opened.map_err(DevServerError::files("opening", &self.log))
    }

    fn name(&self) -> String {
        self.path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned()
    }

    fn not_started(&self, source: std::io::Error) -> DevServerError {
        DevServerError::Spawn { program: self.name(), source }
    }
}

enum Order {
    IsRunning(mpsc::Sender<bool>),
    Stop { signal: &'static str, done: mpsc::Sender<()> },
}

/// A running server. A thread of its own starts it and waits with it: the kernel ties the server's
/// life to that thread, so it must not be one that ends earlier.
pub(crate) struct Server {
    orders: mpsc::Sender<Order>,
    pub(crate) pid: u32,
}

impl Server {
    /// `signal` is what the kernel sends when the owner dies: KILL, or what makes it stop at once.
    pub(crate) fn start(
        program: &Program<'_>,
        signal: &'static str,
    ) -> Result<Self, DevServerError> {
        let (orders, inbox) = mpsc::channel();
        let (started, outcome) = mpsc::channel();
        let (path, user) = (program.path.to_owned(), program.user.cloned());
        let (args, log) = (program.args.clone(), program.log.clone());
        thread::spawn(move || {
            let program = Program { path: &path, args, user: user.as_ref(), log };
            match program.spawn(signal) {
                Err(error) => drop(started.send(Err(error))),
                Ok(child) => {
                    started.send(Ok(child.id())).ok();
                    serve(child, &inbox);
                }
            }
        });
        let gone = |_| program.ended();
        let pid = outcome.recv().map_err(gone)??;
        Ok(Self { orders, pid })
    }

    pub(crate) fn is_running(&self) -> bool {
        let (answer, is_running) = mpsc::channel();
        self.orders.send(Order::IsRunning(answer)).is_ok() && is_running.recv().unwrap_or(false)
    }

    /// Sends `signal` and waits until the server is gone; kills it if it takes too long.
    pub(crate) fn stop(&self, signal: &'static str) {
        let (done, is_done) = mpsc::channel();
        if self.orders.send(Order::Stop { signal, done }).is_ok() {
            is_done.recv().ok();
        }
    }
}

fn serve(mut child: Child, inbox: &mpsc::Receiver<Order>) {
    for order in inbox {
        match order {
            Order::IsRunning(answer) => {
                answer.send(matches!(child.try_wait(), Ok(None))).ok();
            }
            Order::Stop { signal, done } => {
                let kill = format!("kill -{signal} {}", child.id());
                Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status().ok();
                if !until(STOP_WITHIN, || !matches!(child.try_wait(), Ok(None))) {
                    child.kill().ok();
                    child.wait().ok();
                }
                done.send(()).ok();
            }
        }
    }
    child.kill().ok();
    child.wait().ok();
}

/// Keeps a second owner out of `dir` for as long as the file lives; waits for one that is going.
pub(crate) fn lock(dir: &Path) -> Result<File, DevServerError> {
    let path = dir.join("owner.lock");
    let file = File::create(&path).map_err(DevServerError::files("creating", &path))?;
    if until(STOP_WITHIN, || file.try_lock().is_ok()) {
        Ok(file)
    } else {
        Err(DevServerError::InUse { dir: dir.to_owned() })
    }
}

/// Looks until `reached` or the time is over; answers whether it was reached.
pub(crate) fn until(at_most: Duration, mut reached: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if reached() {
            return true;
        }
        if start.elapsed() >= at_most {
            return false;
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "the pause of a loop that looks at a level")]
fn pause() {
    thread::sleep(LOOK_EVERY);
}

/// Where `name` is, going by PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = setting("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[expect(clippy::disallowed_methods, reason = "this crate runs before any configuration is read")]
pub(crate) fn setting(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
