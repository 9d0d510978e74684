//! The demo ends well, and both READMEs show what it says.

use std::{fs, path::Path, process::Command};

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
