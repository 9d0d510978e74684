//! A node is broken for a minute while it is used; nothing is lost, and nothing is left of it.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{
    collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command,
};

use onenet_tests::{
    network::onenet,
    process::{Process, until},
};
use onenet_torture::Fault;

/// Far fewer than a slow machine manages; below it, a run proves little.
const ACKNOWLEDGED: usize = 500;
/// A run in which nobody was listed says nothing of the blacklist.
const LISTED: usize = 3;
const REMOVED: usize = 1;
const EXPIRED: usize = 1;
/// Nor one in which nobody said what it had applied, or compared, of readers of the list.
const SAID_OF_THE_LIST: usize = 1;
/// Nor one in which a grant was never revoked, or an agency never had anything by it, of the rights of agencies.
const REVOKED: usize = 1;
const REPLACED: usize = 1;
const DELIVERED: usize = 5;
/// Nor one in which every machine knew the time, of clocks.
const APART: usize = 1;

/// The counts of a report, by what is counted.
fn counts(report: &str) -> BTreeMap<&str, usize> {
    report
        .lines()
        .filter_map(|line| {
            let (what, count) = line.trim().rsplit_once(": ")?;
            Some((what, count.parse().ok()?))
        })
        .collect()
}

#[test]
fn a_node_that_is_broken_for_a_minute_keeps_its_promises() {
    let words = ["torture", "--for", "60s", "--seed", "42"];
    let run = Command::new(onenet()).args(words).output().unwrap();
    let [report, told] = [run.stdout, run.stderr].map(|said| String::from_utf8(said).unwrap());
    assert!(run.status.success(), "{told}\n{report}");
    let counts = counts(&report);
    for fault in Fault::ALL {
        assert!(counts[fault.name()] >= 1, "{fault} did not occur:\n{report}");
    }
    assert!(counts["已确认 / acknowledged"] >= ACKNOWLEDGED, "{report}");
    assert!(counts["列入 / listed"] >= LISTED, "{report}");
    assert!(counts["移出 / removed"] >= REMOVED, "{report}");
    assert!(counts["期满移出 / by the end of the term"] >= EXPIRED, "{report}");
    for what in ["确认 / acknowledgements", "对账 / comparisons"] {
        assert!(counts[what] >= SAID_OF_THE_LIST, "{report}");
    }
    assert!(counts["授权撤回 / grants revoked"] >= REVOKED, "{report}");
    for what in ["证书更换 / certificates replaced", "凭旧证书被拒 / refused for a certificate"]
    {
        assert!(counts[what] >= REPLACED, "{report}");
    }
    for what in
        ["时钟快的启动 / starts with a clock ahead", "时钟慢的启动 / starts with a clock behind"]
    {
        assert!(counts[what] >= APART, "{report}");
    }
    assert!(counts["变更订阅 / changing subscription"] >= DELIVERED, "{report}");
}

/// Processes whose command line names the folder.
fn over(folder: &Path) -> usize {
    let folder = folder.to_str().unwrap();
    let commands = fs::read_dir("/proc").unwrap().map(|entry| {
        let command = fs::read(entry.unwrap().path().join("cmdline"));
        String::from_utf8_lossy(&command.unwrap_or_default()).into_owned()
    });
    commands.filter(|command| command.contains(folder)).count()
}

#[tokio::test]
async fn what_was_started_ends_with_a_torture_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    // PostgreSQL runs as another user where the test is root
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let temporary = folder.path().to_str().unwrap();
    let words = ["torture", "--for", "60s"];
    let torture = Process::start_with(onenet(), &words, &[("TMPDIR", temporary)]);
    // two servers, six processes
    until("the node's processes", async || over(folder.path()) >= 8).await;
    torture.kill();
    until("the end of them all", async || over(folder.path()) == 0).await;
}
