use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    DevServerError,
    ports::{self, random_bytes},
    process::{Program, Unprivileged, lock, on_path},
    server::{Server, Startup},
};

const STARTUP: Startup = Startup {
    ready_within: Duration::from_mins(1),
    tries: 40,
    passing: ["could not bind", "lock file \"postmaster.pid\" already exists"],
    // PostgreSQL's fast shutdown
    dies_by: "INT",
};

/// A private PostgreSQL. Stops when dropped.
pub struct Postgres {
    server: Server,
    port: u16,
    password: String,
    /// The folder with its programs.
    pub(crate) programs: PathBuf,
    _lock: File,
}

/// Where a server's data is to be made, by which programs and as whom.
pub(crate) struct Site {
    pub(crate) programs: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) user: Option<Unprivileged>,
}

/// What a server runs with beside what every private one has.
#[derive(Default)]
pub struct PostgresOptions {
    /// `name=value` as in `postgresql.conf`; what is said last counts.
    pub settings: Vec<String>,
    /// What it finds in its environment, such as another clock.
    pub variables: Vec<(&'static str, String)>,
}

impl Postgres {
    /// Starts a server over `dir`, which is created if it is not there; answers when it accepts
    /// connections. A crash of an earlier one on `dir` is recovered from.
    pub fn start(dir: &Path) -> Result<Self, DevServerError> {
        Self::start_with(dir, &PostgresOptions::default())
    }

    /// The same with more than every private server has.
    pub fn start_with(dir: &Path, options: &PostgresOptions) -> Result<Self, DevServerError> {
        Self::launch(dir, None, options, initialise)
    }

    /// The same where `fill` makes the data, at the path it is given, and its superuser's password may
    /// be known before.
    pub(crate) fn launch(
        dir: &Path,
        known: Option<&str>,
        options: &PostgresOptions,
        fill: impl FnOnce(&Site, &Path) -> Result<(), DevServerError>,
    ) -> Result<Self, DevServerError> {
        let programs = programs()?;
        let user = Unprivileged::needed();
        fs::create_dir_all(dir).map_err(DevServerError::files("creating", dir))?;
        let dir = dir.canonicalize().map_err(DevServerError::files("entering", dir))?;
        let lock = lock(&dir)?;
        let password = password(&dir.join("password"), known)?;
        if let Some(user) = &user {
            user.own(&dir)?;
        }
        let site = Site { programs: programs.clone(), dir: dir.clone(), user: user.clone() };
        let data = dir.join("data");
        if !data.exists() {
            site.make(&data, fill)?;
        }
        let prepare = || {
            let [port] = ports::remembered([&dir.join("port")])?;
            let (path, log) = (programs.join("postgres"), dir.join("postgres.log"));
            let program = Program::new(path, arguments(&data, port, &options.settings), log);
            let variables = options.variables.clone();
            Ok((port, Program { user: user.clone(), variables, ..program }))
        };
        let (server, port) = Server::start(&STARTUP, prepare, |port| is_ready(&programs, port))?;
        Ok(Self { server, port, password, programs, _lock: lock })
    }

    /// URL of the superuser for `database`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// The port it listens on, on 127.0.0.1 alone.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Process id of the server, for faults injected from outside.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid
    }

    /// Ends the server as a loss of its machine would: all of its processes at once. Each of them
    /// leads a group of its own, and those left would still answer after the first is gone.
    pub fn kill(self) {
        let all = [vec![self.pid().to_string()], children(self.pid())].concat();
        let kill = format!("kill -KILL {}", all.join(" "));
        Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status().ok();
        self.server.stop("KILL");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.server.stop("INT");
    }
}

impl Site {
    /// Renamed when it is whole: one that was cut off leaves something that looks complete.
    fn make(
        &self,
        data: &Path,
        fill: impl FnOnce(&Self, &Path) -> Result<(), DevServerError>,
    ) -> Result<(), DevServerError> {
        let fresh = self.dir.join("data.new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(DevServerError::files("clearing", &fresh))?;
        }
        fill(self, &fresh)?;
        fs::rename(&fresh, data).map_err(DevServerError::files("renaming to", data))
    }

    /// Runs one of PostgreSQL's programs to its end.
    pub(crate) fn run(&self, program: &str, args: Vec<OsString>) -> Result<(), DevServerError> {
        let (path, log) = (self.programs.join(program), self.dir.join(format!("{program}.log")));
        Program { user: self.user.clone(), ..Program::new(path, args, log) }.run()
    }
}

fn initialise(site: &Site, data: &Path) -> Result<(), DevServerError> {
    let mut password_file = OsString::from("--pwfile=");
    password_file.push(site.dir.join("password"));
    let args = vec![
        "--username=postgres".into(),
        "--auth=scram-sha-256".into(),
        "--encoding=UTF8".into(),
        "--locale=C.UTF-8".into(),
        "--data-checksums".into(),
        password_file,
        "-D".into(),
        data.into(),
    ];
    site.run("initdb", args)
}

/// Of a process with one thread.
fn children(pid: u32) -> Vec<String> {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    listed.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Everything that protects data (fsync, full page writes, synchronous commit) stays as PostgreSQL
/// has it: on.
fn arguments(data: &Path, port: u16, more: &[String]) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["-D".into(), data.into()];
    let settings = [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "max_connections=400".to_owned(),
        "shared_buffers=256MB".to_owned(),
    ];
    for setting in settings.iter().chain(more) {
        args.extend(["-c".into(), setting.into()]);
    }
    args
}

fn is_ready(programs: &Path, port: u16) -> bool {
    Command::new(programs.join("pg_isready"))
        .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string(), "-t", "2"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Made once unless it is known, kept in a file that only its owner reads.
fn password(file: &Path, known: Option<&str>) -> Result<String, DevServerError> {
    if let Ok(password) = fs::read_to_string(file)
        && !password.is_empty()
    {
        return Ok(password);
    }
    let password = known.map_or_else(random_password, str::to_owned);
    fs::write(file, &password).map_err(DevServerError::files("writing", file))?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
        .map_err(DevServerError::files("protecting", file))?;
    Ok(password)
}

fn random_password() -> String {
    random_bytes().iter().fold(String::new(), |mut text, byte| {
        // a String takes whatever is written to it
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The folder with PostgreSQL's programs: what `pg_config` says, Debian's newest, or PATH.
fn programs() -> Result<PathBuf, DevServerError> {
    let said = Command::new("pg_config").arg("--bindir").output().ok();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().into());
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort_by_key(|folder| version(folder));
    let from_path = on_path("initdb").and_then(|file| file.parent().map(Path::to_owned));
    said.into_iter()
        .chain(debian.into_iter().rev())
        .chain(from_path)
        .find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|p| folder.join(p).exists()))
        .ok_or(DevServerError::Missing { program: "initdb", package: "postgresql" })
}

/// 15 for `/usr/lib/postgresql/15/bin`.
fn version(folder: &Path) -> u32 {
    let parent = folder.parent().and_then(Path::file_name);
    parent.and_then(|name| name.to_string_lossy().parse().ok()).unwrap_or(0)
}
