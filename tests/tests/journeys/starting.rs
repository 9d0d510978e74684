//! What a process does not start with: it ends, with a status that says so, and tells what is wrong.
//! docs/runbooks/starting.md has the same lines.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use onenet_chassis::{private::PrivateNode, testing};
use onenet_devservers::{shared_kafka, shared_postgres};
use onenet_eventstore::sqlx::{self, Connection as _, PgConnection};
use onenet_tests::network::{onenet, run};

/// A node that is migrated and does not run.
struct Migrated {
    node: PrivateNode,
    folder: tempfile::TempDir,
    config: PathBuf,
}

impl Migrated {
    async fn node() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (postgres, kafka) = (shared_postgres().unwrap(), shared_kafka().unwrap());
        let node = testing::node(folder.path(), postgres, kafka).await.unwrap();
        let config = node.write_settings().unwrap();
        let (is_well, said) = run(&["migrate", "--config", text(&config)]).await;
        assert!(is_well, "{said}");
        Self { node, folder, config }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path).to_owned()
    }

    /// Serves a context with something else in its settings; answers what it says when it ends badly.
    async fn refused(&self, words: &[&str], settings: &[(&str, &str)]) -> String {
        let serving = tokio::process::Command::new(onenet())
            .arg("serve")
            .args(words)
            .args(["--config", text(&self.config)])
            .envs(settings.iter().copied())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(Duration::from_mins(1), serving).await;
        let output = output.unwrap_or_else(|_| unreachable!("it started: {settings:?}")).unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        said
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const SERVE: [&str; 3] = ["enterprise", "--listen", "127.0.0.1:0"];

#[tokio::test]
async fn settings_and_files_that_cannot_be_used() {
    let node = Migrated::node().await;
    let missing = text(&node.folder.path().join("missing")).to_owned();
    let other = node.node.organisation(&testing::uscc(1)).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let no_key = node.file("token", "zz");
    for (setting, value, said) in [
        ("ONENET__SERVER__LISTENS", "127.0.0.1:1", "unknown field: found `listens`"),
        ("ONENET__NODE__OPERATOR", "11410000000000001Y", "node.operator cannot be used"),
        ("ONENET__DATABASE__PASSWORD_FILE", &missing, "database.password_file names"),
        ("ONENET__DATABASE__URL", "postgres://root@127.0.0.1/x", "database.url cannot be used"),
        ("ONENET__SERVER__CERTIFICATE", &missing, "server.certificate names"),
        ("ONENET__SERVER__KEY", text(&other.key), "server.key cannot be used: 它不是"),
        ("ONENET__SERVER__CLIENT_CA", &no_key, "server.client_ca cannot be used"),
        ("ONENET__TELEMETRY__METRICS", &taken, "telemetry.metrics cannot be used: listening on"),
        ("ONENET__TELEMETRY__LOG", "a=b=c", "telemetry.log is no filter"),
    ] {
        let found = node.refused(&SERVE, &[(setting, value)]).await;
        assert!(found.contains(said), "{setting}: {said} in {found}");
    }
    let found = node.refused(&["enterprise", "--listen", &taken], &[]).await;
    assert!(found.contains(&format!("listening on {taken}")), "{found}");
    for (file, said) in [(&missing, "names"), (&no_key, "cannot be used")] {
        let setting = ("ONENET__EXCHANGE__TOKEN_KEY_FILE", file.as_str());
        let found = node.refused(&["exchange", "--listen", "127.0.0.1:0"], &[setting]).await;
        assert!(found.contains(&format!("exchange.token_key_file {said}")), "{found}");
    }
    let (is_well, said) = run(&["serve", "enterprise", "--config", &missing]).await;
    assert!(!is_well && said.contains("--config names"), "{said}");
}

#[tokio::test]
async fn servers_that_are_not_as_they_have_to_be() {
    let node = Migrated::node().await;
    let password = node.file("password", "another");
    let url = &node.node.settings().database.url;
    let (server, _) = url.rsplit_once('/').unwrap();
    let unmigrated = format!("{server}/postgres");
    for (setting, value, said) in [
        ("ONENET__DATABASE__URL", "postgres://127.0.0.1:1/onenet", "opening the log of enterprise"),
        ("ONENET__DATABASE__URL", &unmigrated, "run `onenet migrate`"),
        ("ONENET__DATABASE__PASSWORD_FILE", &password, "password authentication failed for user"),
        ("ONENET__KAFKA__PARTITIONS", "5", "partitions is 3, but must be 5"),
        ("ONENET__KAFKA__PREFIX", "elsewhere.", "partitions is 0, but must be 3"),
    ] {
        let found = node.refused(&SERVE, &[(setting, value)]).await;
        assert!(found.contains(said), "{setting}: {said} in {found}");
    }

    let url = node.node.settings().owner_url().unwrap();
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let older = "delete from enterprise._register_migrations where version = 2";
    sqlx::raw_sql(older).execute(&mut owner).await.unwrap();
    let found = node.refused(&SERVE, &[]).await;
    assert!(
        found.contains("lacks enterprise._register_migrations 2: run `onenet migrate`"),
        "{found}"
    );

    let settings = fs::read_to_string(&node.config).unwrap();
    let (before, kafka) = settings.split_once("[kafka]").unwrap();
    let after = kafka.split_once("\n[").map_or("", |(_, after)| after);
    fs::write(&node.config, format!("{before}[{after}")).unwrap();
    let found = node.refused(&["hazard", "--role", "react"], &[]).await;
    assert!(found.contains("name Kafka's brokers in `kafka.brokers`"), "{found}");
}
