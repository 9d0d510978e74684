//! What is measured is judged; the machine itself is left as it is.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use super::{Report, contexts::clocks, machine, *};

/// Warnings and errors.
fn found(look: impl FnOnce(&mut Report)) -> (usize, usize) {
    let mut report = Report::default();
    look(&mut report);
    (report.warnings, report.wrong)
}

#[test]
fn clocks_that_are_more_than_a_second_apart_are_a_warning_whichever_is_ahead() {
    for (apart, warnings) in
        [(0, 0), (1_000_000, 0), (-1_000_000, 0), (1_000_001, 1), (-1_000_001, 1)]
    {
        assert_eq!(found(|report| clocks(report, apart)), (warnings, 0), "{apart}");
    }
}

#[test]
fn a_disk_is_a_warning_below_a_tenth_or_two_gib_and_wrong_below_a_fiftieth_or_a_quarter_gib() {
    for (free, percent, expected) in [
        (2_048, 10, (0, 0)),
        (2_047, 50, (1, 0)),
        (50_000, 9, (1, 0)),
        (256, 2, (1, 0)),
        (255, 50, (0, 1)),
        (50_000, 1, (0, 1)),
    ] {
        let found = found(|report| machine::room(report, "data", free, percent));
        assert_eq!(found, expected, "{free} MiB, {percent} %");
    }
}

#[test]
fn a_secret_that_any_user_may_open_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/onenet.toml");
    let mut settings = Settings::read(&example).unwrap();
    let secret = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, "secret").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    };
    settings.database.password_file = secret("password");
    settings.database.owner_url_file = Some(secret("owner"));
    settings.exchange.token_key_file = Some(secret("token"));
    settings.server.key = secret("server");
    let kafka = settings.kafka.as_mut().unwrap();
    let key = kafka.tls.as_mut().map(|tls| &mut tls.key).unwrap();
    *key = secret("kafka");
    let warnings = || found(|report| machine::secrecy(report, &settings));
    assert_eq!(warnings(), (0, 0));
    for name in ["password", "owner", "token", "server", "kafka"] {
        let path = folder.path().join(name);
        for (mode, expected) in [(0o644, 1), (0o602, 1), (0o640, 0), (0o600, 0)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(warnings(), (expected, 0), "{name} {mode:o}");
        }
    }
}
