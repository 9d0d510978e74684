//! Every reason of refusal that the contracts document is asked for by some test.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{fs, path::Path};

use prost_types::FileDescriptorSet;

/// Reasons that a test cannot provoke from outside, each with why.
const NOT_PROVOKED: [(&str, &str); 5] = [
    ("ERROR_REASON_CONTENDED", "a race lost eight times in a row; the kernel's own tests hold it"),
    ("ERROR_REASON_OVERLOADED", "needs a full queue of the appender"),
    ("ERROR_REASON_COMMAND_EXPIRED", "falls between two instants of one call"),
    (
        "ERROR_REASON_UNAVAILABLE",
        "needs a server that is away; the exchange test of a stopping node sees it",
    ),
    ("ERROR_REASON_INTERNAL", "a fault of the node, which no caller can bring about"),
];

#[test]
fn each_documented_reason_is_provoked_by_a_test() {
    let set: FileDescriptorSet = prost::Message::decode(onenet_proto::DESCRIPTORS).unwrap();
    let mut tests = String::new();
    let root = Path::new("..");
    for folder in ["services", "crates/chassis/src"] {
        read(&root.join(folder), &mut tests);
    }
    let mut missing = Vec::new();
    let reasons = set.file.iter().flat_map(|file| &file.enum_type);
    for reasons in reasons.filter(|it| it.name().ends_with("ErrorReason")) {
        for reason in reasons.value.iter().filter(|value| value.number() != 0) {
            let name = reason.name();
            // tests name a reason in full, or without what all reasons of its context begin with
            let (_, short) = name.split_once("ERROR_REASON_").unwrap();
            let is_asked =
                tests.contains(&format!("\"{name}\"")) || tests.contains(&format!("\"{short}\""));
            let is_known = NOT_PROVOKED.iter().any(|(known, _)| *known == name);
            if !is_asked && !is_known {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "no test asks for {missing:#?}");
}

/// Everything that is test code: files of tests/, and modules named so.
fn read(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let is_test = path.components().any(|part| part.as_os_str() == "tests");
            let from = if is_test { Some(0) } else { text.find("mod tests {") };
            into.extend(from.and_then(|from| text.get(from..)));
        }
    }
}
