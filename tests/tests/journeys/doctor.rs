//! `onenet doctor` finds what was broken, and nothing on a node that is well. A node does not start with a
//! certificate that every caller would refuse.

use std::{fs, path::Path};

use onenet_chassis::day::SystemClock;
use onenet_eventstore::sqlx::{self, Connection as _, PgConnection};
use onenet_kernel::Clock as _;
use onenet_tests::{actors::Actors, network::Network, process::until};
use rcgen::{CertificateParams, KeyPair};
use time::Duration;

/// A certificate for this machine that is good from `from` days on until `until` days on, and its key.
fn certificate(folder: &Path, from: i64, until: i64) -> (String, String) {
    let now = SystemClock.now().to_datetime();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = now + Duration::days(from);
    params.not_after = now + Duration::days(until);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let path = |kind: &str| folder.join(format!("{from}-{until}.{kind}"));
    fs::write(path("pem"), pem).unwrap();
    fs::write(path("key"), key.serialize_pem()).unwrap();
    (path("pem").to_str().unwrap().to_owned(), path("key").to_str().unwrap().to_owned())
}

/// The settings file with one thing in place of another.
fn change(network: &Network, from: &str, to: &str) {
    let config = network.folder.path().join("onenet.toml");
    let settings = fs::read_to_string(&config).unwrap();
    assert!(settings.contains(from), "{from} in {settings}");
    fs::write(&config, settings.replace(from, to)).unwrap();
}

fn own_certificate(network: &Network) -> (String, String) {
    let server = &network.node.settings().server;
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    (path(&server.certificate), path(&server.key))
}

async fn as_owner(network: &Network, statements: &'static str) {
    let url = network.node.settings().owner_url().unwrap();
    let mut owner = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(statements).execute(&mut owner).await.unwrap();
}

#[tokio::test]
async fn a_node_is_well_until_something_is_broken() {
    let mut network = Network::start(None).await;
    Actors(&network).register_public_side().await;
    let mut last = String::new();
    until("a node that is well", async || {
        let (is_well, said) = network.tool(&["doctor"]).await;
        last = said;
        is_well && last.contains("0 处错误 / wrong, 0 处注意 / warnings")
    })
    .await;
    assert!(last.contains("credit: 主题 / topics") && last.contains("时钟 / clocks"), "{last}");

    network.stop().await;
    let (is_well, said) = network.tool(&["doctor"]).await;
    assert!(is_well && said.contains("enterprise: relay: 无进程持有"), "{said}");
    assert!(said.contains("无进程处理 / no process follows"), "{said}");

    as_owner(
        &network,
        "insert into credit.parked overriding user value
            select 'judge', e.subject, 0, 'poisoned', 'broken', 1, now(), now(), l.log_id, e.*
            from enterprise.events e, enterprise.log l where e.position = 1;
         alter table enterprise.events disable trigger user;
         delete from enterprise.events where position = (select max(position) from enterprise.events);
         alter table enterprise.events enable trigger user;
         delete from hazard._log_migrations where version = 3",
    )
    .await;
    let (is_well, said) = network.tool(&["doctor"]).await;
    assert!(!is_well, "{said}");
    for found in [
        "[错误 wrong] credit: judge: 搁置 / 1 events are parked, poisoned",
        "docs/runbooks/poison.md",
        "已发布 / published 5: 不一致 / they disagree",
        "onenet recover",
        "hazard: 结构过旧 / the schema lacks hazard._log_migrations 3",
        "3 处错误 / wrong",
    ] {
        assert!(said.contains(found), "{found} in {said}");
    }

    let prefix = network.node.settings().kafka.as_ref().unwrap().prefix.clone();
    change(&network, &format!("\"{prefix}\""), "\"elsewhere.\"");
    let (is_well, said) = network.tool(&["doctor"]).await;
    assert!(!is_well && said.contains("partitions is 0"), "no topic was made by asking: {said}");
    let (_, said) = network.tool(&["doctor"]).await;
    assert!(said.contains("partitions is 0"), "{said}");
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_refused_before_anything_runs() {
    let mut network = Network::start(None).await;
    network.stop().await;
    let folder = network.folder.path().to_owned();
    let mut put = own_certificate(&network);
    let mut put_in_place = |network: &Network, days: (i64, i64)| {
        let new = certificate(&folder, days.0, days.1);
        change(network, &put.0, &new.0);
        change(network, &put.1, &new.1);
        put = new;
    };
    put_in_place(&network, (-10, 10));
    let (is_well, said) = network.tool(&["doctor"]).await;
    assert!(is_well && said.contains("[注意 warning] 本节点证书"), "{said}");
    let (_, said) = network.tool(&["doctor", "--days", "5"]).await;
    assert!(said.contains("[正常 ok] 本节点证书"), "{said}");

    for (days, word) in [((-10, -1), "已过期"), ((1, 10), "尚未生效")] {
        put_in_place(&network, days);
        let (is_well, said) = network.tool(&["config", "check"]).await;
        assert!(!is_well && said.contains(word) && said.contains("certificates.md"), "{said}");
        let (is_well, said) = network.tool(&["doctor"]).await;
        assert!(!is_well && said.contains(word) && said.contains("certificates.md"), "{said}");
        let refused = network.role("enterprise", "api");
        assert!(!refused.ended().await, "it started with a certificate that callers refuse");
    }
}
