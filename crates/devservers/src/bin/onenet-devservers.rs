//! `onenet-devservers run -- COMMAND …` runs a command with a private PostgreSQL and a private Kafka
//! beside it, named by `ONENET_TEST_POSTGRES` and `ONENET_TEST_KAFKA`, and passes its exit status on.

use std::{io::Write as _, process::ExitCode};

use onenet_devservers::run_beside;

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
    match run_beside(program, arguments) {
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
        }
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}
