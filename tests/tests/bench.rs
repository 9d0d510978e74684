//! The benchmarks run; what they measure in a test says nothing.

use std::fs;

use onenet_tests::network::run;
use serde_json::Value;

#[tokio::test]
async fn a_row_is_measured_beside_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.json");
    let json = ["--json", file.to_str().unwrap()];
    let short = ["bench", "append", "--rounds", "2", "--seconds", "0.3"];
    let (is_well, said) = run(&[&short[..], &json[..]].concat()).await;
    assert!(is_well && said.contains("| append | 256 callers |"), "{said}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let ratio = &report["rows"][0][3][0]["outcome"]["ratio"];
    assert!(ratio["ratio"]["median"].as_f64().unwrap() > 0.0, "{report}");
    for side in ["ours", "theirs"] {
        assert!(ratio[side]["events_per_second"]["least"].as_f64().unwrap() > 0.0, "{report}");
    }
    assert_eq!(report["rounds"], 2);
}

#[tokio::test]
async fn a_row_that_is_not_there_is_named_before_anything_starts() {
    let (is_well, said) = run(&["bench", "apend"]).await;
    assert!(!is_well && said.contains("apend") && said.contains("--list"), "{said}");
}
