//! The path tells the floor: a crate depends on lower floors only, and some crates are never built.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{collections::BTreeSet, process::Command};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Floor by crate; a crate that is not listed here has no place yet.
const FLOORS: [(&str, u8); 16] = [
    ("onenet-proto", 0),
    ("onenet-kernel", 0),
    ("onenet-standards", 0),
    ("onenet-devservers", 0),
    ("onenet-eventstore", 1),
    ("onenet-kafka", 2),
    ("onenet-chassis", 3),
    ("onenet-enterprise", 4),
    ("onenet-hazard", 4),
    ("onenet-enforcement", 4),
    ("onenet-credit", 4),
    ("onenet-exchange", 4),
    ("onenet-bench", 5),
    ("onenet-torture", 5),
    ("onenet", 6),
    ("onenet-tests", 7),
];

/// What the pure crates must not name, since it does I/O or fixes a wire format.
const KEPT_PURE: [(&str, &[&str]); 2] = [
    ("onenet-kernel", &["tokio", "sqlx", "tonic", "prost", "rdkafka"]),
    ("onenet-standards", &["tokio", "sqlx", "tonic", "prost", "rdkafka", "onenet-kernel"]),
];

/// Libraries that one crate alone names; the benchmark's plain producer and consumer are what Kafka's is
/// measured against.
const NAMED_BY_ONE: [(&str, &[&str]); 2] =
    [("rdkafka", &["onenet-kafka", "onenet-bench"]), ("sqlx", &["onenet-eventstore"])];

/// A second provider of cryptography panics at run time where it is met first.
const NEVER_BUILT: [&str; 2] = ["ring", "native-tls"];

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path("../Cargo.toml").no_deps().exec().unwrap()
}

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}

#[test]
fn a_crate_depends_on_lower_floors_only() {
    for package in &metadata().packages {
        let own =
            floor(&package.name).unwrap_or_else(|| unreachable!("no floor: {}", package.name));
        for dependency in &package.dependencies {
            let from_tests = dependency.kind == DependencyKind::Development
                && dependency.name == "onenet-devservers";
            let Some(other) = floor(&dependency.name).filter(|_| !from_tests) else {
                continue;
            };
            assert!(
                other < own,
                "{} ({own}) depends on {} ({other})",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn the_pure_crates_stay_pure_and_drivers_have_one_home() {
    for package in &metadata().packages {
        let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        for dependency in normal {
            for (pure, banned) in KEPT_PURE {
                let breaks = package.name == pure && banned.contains(&dependency.name.as_str());
                assert!(!breaks, "{pure} names {}", dependency.name);
            }
            for (library, homes) in NAMED_BY_ONE {
                let elsewhere =
                    dependency.name == library && !homes.contains(&package.name.as_str());
                assert!(!elsewhere, "{} names {library}", package.name);
            }
        }
    }
}

#[test]
fn banned_crates_are_not_built() {
    for banned in NEVER_BUILT {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--workspace", "-e", "normal,build", "-i", banned])
            .current_dir("..")
            .output()
            .unwrap();
        let users = String::from_utf8_lossy(&tree.stdout);
        assert!(users.trim().is_empty(), "{banned} is built:\n{users}");
    }
}

#[test]
fn one_version_of_what_must_agree() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "-e", "normal,build", "--prefix", "none"])
        .current_dir("..")
        .output()
        .unwrap();
    let built = String::from_utf8_lossy(&tree.stdout);
    for library in ["tonic", "prost", "tokio", "sqlx", "rustls", "opentelemetry"] {
        let versions: BTreeSet<_> = built
            .lines()
            .filter_map(|line| line.strip_prefix(library)?.strip_prefix(" v"))
            .filter_map(|rest| rest.split_whitespace().next())
            .collect();
        assert_eq!(versions.len(), 1, "{library}: {versions:?}");
    }
}
