//! The examples of subscribers do what their pages say, in every language whose tools are on this machine.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    path::Path,
    process::{Command, Stdio},
};

use onenet_chassis::testing::uscc;
use onenet_tests::{
    actors::{Actors, Reach as _},
    network::Network,
};

const AGENCY: u32 = 20;
const FIRST_ENTERPRISE: u32 = 100;
const REGISTERED: &str = "onenet.enterprise.v1.EnterpriseRegistered";
const LANGUAGES: [&str; 4] = ["python", "go", "java", "typescript"];
/// What `scripts/example` ends with where a language's tools are missing; it says so by itself.
const NO_TOOLS: i32 = 75;
/// Building one may have to fetch what it stands on.
const SECONDS: &str = "900";

/// What a subscriber that keeps its token prints until it has seen a sequence; none without its tools.
fn subscribe(network: &Network, language: &str, until: usize) -> Option<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let identity = network.node.organisation(&uscc(AGENCY)).unwrap();
    let address = format!("localhost:{}", network.address("exchange").port());
    let mut example = Command::new("timeout");
    example.arg(SECONDS).arg(root.join("scripts/example")).arg(language);
    example.args(["--address", &address, "--count", &until.to_string()]);
    example.arg("--ca").arg(network.node.authority());
    example.arg("--certificate").arg(identity.certificate).arg("--key").arg(identity.key);
    example.arg("--token").arg(network.folder.path().join(language));
    let output = example.stderr(Stdio::inherit()).output().unwrap();
    if output.status.code() == Some(NO_TOOLS) {
        return None;
    }
    assert!(output.status.success(), "{language}: {}", output.status);
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

/// Sequences from `first` on and no gap; answers whom the deliveries are about.
fn subjects(language: &str, first: usize, lines: &[String]) -> Vec<String> {
    let mut subjects = Vec::new();
    for (sequence, line) in (first..).zip(lines) {
        let about = line.strip_prefix(&format!("{sequence} {REGISTERED} "));
        subjects.push(about.unwrap_or_else(|| unreachable!("{language}: {line}")).to_owned());
    }
    subjects.sort_unstable();
    subjects
}

#[tokio::test]
async fn each_example_receives_what_is_there_and_resumes_after_it() {
    let mut network = Network::start(None).await;
    Actors(&network).register_public_side().await;
    Actors(&network).open_to(AGENCY, &[REGISTERED]).await;
    let enterprises = [0, 1, 2].map(|nth| FIRST_ENTERPRISE + nth);
    for enterprise in enterprises {
        Actors(&network).register_enterprise(enterprise, "2614").await;
    }
    let mut expected = enterprises.map(uscc);
    expected.sort_unstable();
    let mut ran = Vec::new();
    for language in LANGUAGES {
        let Some(lines) = subscribe(&network, language, expected.len()) else { continue };
        assert_eq!(subjects(language, 1, &lines), expected, "{language}");
        ran.push(language);
    }
    assert!(ran.contains(&"python"), "every machine that tests has Python");

    let next = FIRST_ENTERPRISE + 3;
    Actors(&network).register_enterprise(next, "2614").await;
    for language in ran {
        let lines = subscribe(&network, language, expected.len() + 1).unwrap();
        assert_eq!(subjects(language, expected.len() + 1, &lines), [uscc(next)], "{language}");
    }
    network.stop().await;
}
