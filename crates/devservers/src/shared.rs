use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::OnceLock,
};

use crate::{DevServerError, Kafka, Postgres, process::setting};

/// Superuser's URL of the PostgreSQL that a whole test run shares.
pub const POSTGRES_VARIABLE: &str = "ONENET_TEST_POSTGRES";
/// Bootstrap address of the Kafka that a whole test run shares.
pub const KAFKA_VARIABLE: &str = "ONENET_TEST_KAFKA";

/// Names the folders of test processes, with the process id behind it.
const PREFIX: &str = "onenet-test-";

/// Runs a command with both servers beside it, named by the two variables; they and their data are
/// gone when it ends.
pub fn run_beside(
    program: &OsString,
    arguments: &[OsString],
) -> Result<ExitStatus, DevServerError> {
    let folder = own_folder()?;
    let postgres = Postgres::start(&folder.join("postgres"))?;
    let kafka = Kafka::start(&folder.join("kafka"), &[])?;
    let status = Command::new("setpriv")
        .args(["--pdeathsig", "TERM"])
        .arg(program)
        .args(arguments)
        .env(POSTGRES_VARIABLE, postgres.url("postgres"))
        .env(KAFKA_VARIABLE, kafka.bootstrap())
        .status()
        .map_err(|source| {
            let program = program.to_string_lossy().into_owned();
            DevServerError::Spawn { program, source }
        });
    drop((postgres, kafka));
    fs::remove_dir_all(&folder).map_err(DevServerError::files("removing", &folder))?;
    status
}

/// URL of a PostgreSQL for tests: the one the test run was given, or one that lives as long as this
/// process.
pub fn shared_postgres() -> Result<&'static str, DevServerError> {
    static SHARED: OnceLock<Result<(String, Option<Postgres>), String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        if let Some(url) = setting(POSTGRES_VARIABLE) {
            return Ok((url.to_string_lossy().into_owned(), None));
        }
        let server = own_folder()
            .and_then(|dir| Postgres::start(&dir.join("postgres")))
            .map_err(|error| error.to_string())?;
        Ok((server.url("postgres"), Some(server)))
    });
    address("PostgreSQL", shared)
}

/// Bootstrap address of a Kafka for tests: the one the test run was given, or one that lives as long
/// as this process.
pub fn shared_kafka() -> Result<&'static str, DevServerError> {
    static SHARED: OnceLock<Result<(String, Option<Kafka>), String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        if let Some(bootstrap) = setting(KAFKA_VARIABLE) {
            return Ok((bootstrap.to_string_lossy().into_owned(), None));
        }
        let server = own_folder()
            .and_then(|dir| Kafka::start(&dir.join("kafka"), &[]))
            .map_err(|error| error.to_string())?;
        Ok((server.bootstrap(), Some(server)))
    });
    address("Kafka", shared)
}

fn address<T>(
    server: &'static str,
    shared: &'static Result<(String, Option<T>), String>,
) -> Result<&'static str, DevServerError> {
    match shared {
        Ok((address, _)) => Ok(address),
        Err(reason) => Err(DevServerError::Shared { server, reason: reason.clone() }),
    }
}

/// A folder for this process. Where a static keeps the server, nobody removes it at the end, so each
/// process removes those whose owners are gone.
fn own_folder() -> Result<PathBuf, DevServerError> {
    let temp = std::env::temp_dir();
    let folders = fs::read_dir(&temp).map_err(DevServerError::files("reading", &temp))?;
    for folder in folders.flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX);
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            fs::remove_dir_all(folder.path()).ok();
        }
    }
    Ok(temp.join(format!("{PREFIX}{}", std::process::id())))
}
