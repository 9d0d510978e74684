//! The tools of people who run a node, on a node that runs.

use std::fs;

use onenet_chassis::testing::uscc;
use onenet_tests::{
    actors::{Actors, COUNTY, PLACE, Reach},
    network::{Network, run},
    process::until,
};

const AGENCY: u32 = 20;
const REGISTERED: &str = "onenet.enterprise.v1.EnterpriseRegistered";

/// How an organisation calls a context, in the words of the command line.
fn as_caller(network: &Network, context: &str, serial: u32) -> Vec<String> {
    let identity = network.node.organisation(&uscc(serial)).unwrap();
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let address = format!("127.0.0.1:{}", network.address(context).port());
    let pairs = [
        ("--address", address),
        ("--ca", path(&network.node.authority())),
        ("--certificate", path(&identity.certificate)),
        ("--key", path(&identity.key)),
    ];
    pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
}

#[tokio::test]
async fn data_is_imported_watched_verified_and_the_relays_are_seen() {
    let mut network = Network::start(None).await;
    Actors(&network).register_public_side().await;
    Actors(&network).open_to(AGENCY, &[REGISTERED]).await;
    // the county is known once one enterprise went in
    Actors(&network).register_enterprise(30, "2614").await;

    let row =
        |uscc: &str, industry: &str| format!("{uscc},某公司,unit,{PLACE},{industry},工业路\n");
    let file = network.folder.path().join("enterprises.csv");
    let rows = [row(&uscc(31), "2614"), row("91230500MA1B3N1N2N", "2614"), row(&uscc(32), "9999")];
    let header = "# source: a test\nuscc,name,kind,division,industry,address\n";
    fs::write(&file, format!("{header}{}", rows.concat())).unwrap();
    let caller = as_caller(&network, "enterprise", COUNTY);
    let caller: Vec<&str> = caller.iter().map(String::as_str).collect();
    let import = [&["import", "enterprises", file.to_str().unwrap()], &caller[..]].concat();
    let (is_well, said) = run(&import).await;
    assert!(!is_well && said.contains("2 rows were rejected"), "{said}");
    let rejected = fs::read_to_string(file.with_extension("rejected.csv")).unwrap();
    assert!(
        rejected.contains("4,enterprise.uscc,ERROR_REASON_USCC_CHECK_CHARACTER,"),
        "{rejected}"
    );
    assert!(
        rejected.contains("5,enterprise.industry,ERROR_REASON_INDUSTRY_UNKNOWN,"),
        "{rejected}"
    );
    fs::write(&file, format!("{header}{}{}", rows[0], row(&uscc(32), "2614"))).unwrap();
    let (is_well, said) = run(&import).await;
    assert!(is_well, "mended, and what was in is not added twice: {said}");
    assert!(!file.with_extension("rejected.csv").exists(), "what was rejected is in now");

    let caller = as_caller(&network, "exchange", AGENCY);
    let caller: Vec<&str> = caller.iter().map(String::as_str).collect();
    let kept = network.folder.path().join("token");
    let resume = ["--resume", kept.to_str().unwrap()];
    let (is_well, first) = run(&[&["watch", "--count", "2"], &resume[..], &caller].concat()).await;
    assert!(is_well && first.contains(&uscc(30)) && first.contains(&uscc(31)), "{first}");
    let (is_well, second) = run(&[&["watch", "--count", "1"], &resume[..], &caller].concat()).await;
    assert!(
        is_well && second.contains(&format!("3 EnterpriseRegistered {}", uscc(32))),
        "{second}"
    );

    let (is_well, said) = network.tool(&["verify"]).await;
    assert!(is_well && said.contains("enterprise: 8 个事件 / events, 0"), "{said}");
    assert!(said.contains("exchange_feed: 8 个事件 / events, 0"), "the feed's own log: {said}");
    let (is_well, said) = network.tool(&["dlq", "list"]).await;
    assert!(is_well && said.contains("0 个事件被搁置"), "{said}");
    let mut last = String::new();
    until("every log on its topic", async || {
        let (is_well, said) = network.tool(&["relay", "status"]).await;
        assert!(is_well, "{said}");
        last = said;
        last.lines().filter(|line| line.ends_with("lag 0")).count() == 5
    })
    .await;
    assert!(last.contains("enterprise: 日志 / log 8, 已发布 / published 8"), "{last}");
    network.stop().await;
}
