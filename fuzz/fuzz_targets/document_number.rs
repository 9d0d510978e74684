//! Document numbers (文号) as written: taken as they are if they are a text of the right length, and refused by
//! name otherwise, in a message that does not grow with what was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_chassis::field::{self, DOCUMENT_NUMBER};
use onenet_proto::{Reason as _, common::v1::ErrorReason};

fuzz_target!(|number: &str| {
    let expected = if number.trim().is_empty() {
        Some(ErrorReason::FieldMissing)
    } else if number.contains('\0') {
        Some(ErrorReason::TextHasNul)
    } else if number.chars().count() > DOCUMENT_NUMBER {
        Some(ErrorReason::TextTooLong)
    } else {
        None
    };
    match (field::text("penalty.document_number", number, DOCUMENT_NUMBER), expected) {
        (Ok(taken), None) => assert_eq!(taken, number),
        (Err(refusal), Some(reason)) => {
            assert_eq!(refusal.reason(), reason.name());
            let status =
                refusal.into_status("/onenet.enforcement.v1.CaseService/DecidePenalty", "");
            assert!(status.message().len() < 200 && status.details().len() < 2_000);
        }
        (taken, expected) => panic!("{number:?}: {taken:?}, not {expected:?}"),
    }
});
