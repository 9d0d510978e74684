use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::DevServerError;

/// Pause between two looks at something that is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How long a server may take to stop before it is killed.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(20);

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
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) user: Option<Unprivileged>,
    /// What it finds in its environment beside ours.
    pub(crate) variables: Vec<(&'static str, String)>,
    pub(crate) log: PathBuf,
}

impl Program {
    /// As ourselves.
    pub(crate) fn new(path: PathBuf, args: Vec<OsString>, log: PathBuf) -> Self {
        Self { path, args, user: None, variables: Vec::new(), log }
    }

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
    pub(crate) fn spawn(&self, signal: &str) -> Result<Child, DevServerError> {
        let log = self.open_log()?;
        let errors = log.try_clone().map_err(|source| self.not_started(source))?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", signal]);
        if let Some(user) = &self.user {
            command.args(["--reuid", &user.uid, "--regid", &user.gid, "--clear-groups"]);
        }
        command
            .arg(&self.path)
            .args(&self.args)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
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
