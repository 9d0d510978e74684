//! The demo ends well, and both READMEs show what it says.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use onenet_devservers::Postgres;
use onenet_eventstore::{
    Db, DbSettings,
    sqlx::{self, AssertSqlSafe},
};
use onenet_tests::network::onenet;

/// Ids and durations differ from run to run.
fn without_chance(text: &str) -> String {
    let lines = text.trim().lines().filter(|line| !line.starts_with("完成"));
    let words = |line: &str| {
        let steady =
            |word: &str| if word.starts_with("case-") { "case-…" } else { word }.to_owned();
        line.split(' ').map(steady).collect::<Vec<_>>().join(" ")
    };
    lines.map(words).collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[test]
fn the_demo_says_what_the_readmes_show() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let demo = Command::new(onenet()).arg("demo").current_dir(root).output().unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let said = without_chance(&String::from_utf8(demo.stdout).unwrap());
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = fs::read_to_string(root.join(readme)).unwrap();
        let shown =
            text.split("```").find(|block| block.starts_with("text\nonenet 一张网")).unwrap();
        let shown = without_chance(shown.trim_start_matches("text\n"));
        assert_eq!(shown, said, "{readme} shows another demo");
    }
}

/// What a node shows, by table: the views without what differs from node to node.
fn state(folder: &Path) -> BTreeMap<String, Vec<Vec<u8>>> {
    let postgres = Postgres::start(&folder.join("postgres")).unwrap();
    let tables = [
        ("enterprise", "enterprises"),
        ("enterprise", "organisations"),
        ("hazard", "major_hazards"),
        ("enforcement", "cases"),
        ("credit", "credit_cases"),
        ("credit", "penalty_judgements"),
        ("exchange", "grants"),
    ];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut state = BTreeMap::new();
        for (schema, table) in tables {
            let settings = DbSettings {
                url: postgres.url("onenet"),
                schema: schema.to_owned(),
                max_connections: 2,
            };
            let db = Db::connect(&settings).await.unwrap();
            let query = AssertSqlSafe(format!("select view from {table} order by view"));
            let views: Vec<Vec<u8>> = sqlx::query_scalar(query)
                .fetch_all(&mut *db.reader().await.unwrap())
                .await
                .unwrap();
            assert!(!views.is_empty(), "{schema}.{table}");
            state.insert(format!("{schema}.{table}"), views);
            db.close().await;
        }
        state
    })
}

#[test]
fn the_demo_ends_with_the_same_state_with_and_without_kafka() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = |words: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut demo = Command::new(onenet());
        demo.current_dir(root).arg("demo").arg("--data").arg(folder.path()).args(words);
        assert!(demo.output().unwrap().status.success());
        state(folder.path())
    };
    assert_eq!(run(&[]), run(&["--embedded"]));
}
