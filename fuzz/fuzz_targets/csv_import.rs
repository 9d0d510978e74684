//! Files that `onenet import` reads. Rows stand at rising lines, and written again as a table they are read as
//! the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onenet_proto::enterprise::v1::EnterpriseKind;

#[path = "../../services/onenet/src/commands/import/table.rs"]
mod table;

fn lines_rise<T>(rows: &[table::Row<T>], text: &str) {
    let lines = u64::try_from(text.split(['\n', '\r']).count()).unwrap_or(u64::MAX);
    assert!(rows.iter().all(|(line, _)| (1..=lines).contains(line)));
    assert!(rows.is_sorted_by(|one, other| one.0 <= other.0));
}

fuzz_target!(|text: &str| {
    if let Ok(rows) = table::divisions(text) {
        lines_rise(&rows, text);
    }
    let Ok(rows) = table::enterprises(text) else { return };
    lines_rise(&rows, text);
    let mut again = csv::WriterBuilder::new().comment(Some(b'#')).from_writer(Vec::new());
    let header = ["uscc", "name", "kind", "division", "industry", "address"];
    again.write_record(header).expect("memory");
    for (_, enterprise) in &rows {
        let kind = EnterpriseKind::try_from(enterprise.kind).expect("a kind of the contract");
        let kind = kind.as_str_name().trim_start_matches("ENTERPRISE_KIND_").to_lowercase();
        let row = [
            &enterprise.uscc,
            &enterprise.name,
            &kind,
            &enterprise.division,
            &enterprise.industry,
            &enterprise.address,
        ];
        again.write_record(row).expect("memory");
    }
    let text = String::from_utf8(again.into_inner().expect("memory")).expect("made of texts");
    let again = table::enterprises(&text).expect("what was written is a table");
    let of = |rows: Vec<table::Row<_>>| rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>();
    assert_eq!(of(again), of(rows));
});
