//! `onenet-devservers run -- COMMAND …` runs a command with a private PostgreSQL and a private Kafka
//! beside it, named by `ONENET_TEST_POSTGRES` and `ONENET_TEST_KAFKA`, and passes its exit status on.

use std::{
    io::Write as _,
    process::{Command, ExitCode},
};

use onenet_devservers::{DevServerError, KAFKA_VARIABLE, Kafka, POSTGRES_VARIABLE, Postgres};

const USAGE: &str = "\
Runs a command with a private PostgreSQL and a private Apache Kafka beside it.

usage: onenet-devservers run -- COMMAND [ARGUMENT ...]

The command finds a superuser's URL in ONENET_TEST_POSTGRES and a bootstrap address in
ONENET_TEST_KAFKA. Both servers and their data are gone when it ends.";

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let [run, dashes, program, arguments @ ..] = words.as_slice() else {
        say(USAGE);
        return ExitCode::from(2);
    };
    if run != "run" || dashes != "--" {
        say(USAGE);
        return ExitCode::from(2);
    }
    match run_beside(Command::new(program).args(arguments)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run_beside(command: &mut Command) -> Result<u8, DevServerError> {
    let temp = std::env::temp_dir();
    let folder = tempfile::tempdir_in(&temp).map_err(|source| DevServerError::Files {
        doing: "working in",
        path: temp,
        source,
    })?;
    // PostgreSQL's unprivileged user has to pass through
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).map_err(|source| DevServerError::Files {
        doing: "opening",
        path: folder.path().to_owned(),
        source,
    })?;
    let postgres = Postgres::start(&folder.path().join("postgres"))?;
    let kafka = Kafka::start(&folder.path().join("kafka"), &[])?;
    let status = command
        .env(POSTGRES_VARIABLE, postgres.url("postgres"))
        .env(KAFKA_VARIABLE, kafka.bootstrap())
        .status()
        .map_err(|source| DevServerError::Spawn {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}
