//! The worked cases of identification and grading, errors included.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use num_rational::BigRational;
use onenet_standards::{
    DecimalError, exact,
    gb18218::{AssessError, Gb18218, Item},
};
use serde_json::Value;

const CASES: &str = include_str!("data/gb18218_examples.json");

/// `3/2`, or a decimal such as `0.3`.
fn fraction(value: &Value) -> Option<BigRational> {
    value.as_str().map(|text| exact(text).unwrap_or_else(|_| text.parse().unwrap()))
}

/// The items, or the quantity that could not be read.
fn items(case: &Value) -> Result<Vec<Item>, DecimalError> {
    let items = case["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            let symbols = item["symbols"].as_array().unwrap();
            Ok(Item {
                table1_no: item["table1_no"].as_u64().map(|number| u32::try_from(number).unwrap()),
                symbols: symbols.iter().map(|symbol| symbol.as_str().unwrap().to_owned()).collect(),
                quantity_t: exact(item["quantity_t"].as_str().unwrap())?,
            })
        })
        .collect()
}

fn name(error: &AssessError) -> &'static str {
    match error {
        AssessError::NoItems => "no_items",
        AssessError::NegativeQuantity { .. } => "negative_quantity",
        AssessError::UnknownTable1No { .. } => "unknown_table1_no",
        AssessError::UnknownSymbol { .. } => "unknown_symbol",
        AssessError::Unclassified { .. } => "unclassified_substance",
        AssessError::SymbolRequired { .. } => "symbol_required",
    }
}

#[test]
fn every_worked_case_gives_its_result() {
    let tables = Gb18218::embedded().unwrap();
    let file: Value = serde_json::from_str(CASES).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 62);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let residents = u32::try_from(case["population_500m"].as_u64().unwrap()).unwrap();
        let expected_error = case["error"].as_str();
        let items = match items(case) {
            Ok(items) => items,
            Err(DecimalError::Negative) => {
                assert_eq!(expected_error, Some("negative_quantity"), "{id}");
                continue;
            }
            Err(error) => unreachable!("{id}: {error}"),
        };
        let assessment = match tables.assess(&items, residents) {
            Ok(assessment) => assessment,
            Err(error) => {
                assert_eq!(Some(name(&error)), expected_error, "{id}");
                continue;
            }
        };
        assert_eq!(expected_error, None, "{id}");
        assert_eq!(Some(&assessment.s), fraction(&case["S"]).as_ref(), "{id}: S");
        assert_eq!(Some(&assessment.alpha), fraction(&case["alpha"]).as_ref(), "{id}: alpha");
        let grade = assessment.grade.as_ref();
        assert_eq!(grade.map(|grade| &grade.r), fraction(&case["R"]).as_ref(), "{id}: R");
        assert_eq!(
            grade.map(|grade| u64::from(grade.level.number())),
            case["level"].as_u64(),
            "{id}: level"
        );
        for (assessed, item) in assessment.substances.iter().zip(case["items"].as_array().unwrap())
        {
            assert_eq!(Some(&assessed.threshold_t), fraction(&item["Q_t"]).as_ref(), "{id}: Q");
            if let Some(beta) = fraction(&item["beta"]) {
                assert_eq!(assessed.beta.as_ref(), Some(&beta), "{id}: beta");
            }
        }
    }
}

#[test]
fn a_negative_quantity_is_refused_by_the_rule_itself_too() {
    let item = Item { table1_no: Some(1), symbols: vec![], quantity_t: -exact("1").unwrap() };
    let refused = Gb18218::embedded().unwrap().assess(&[item], 0);
    assert_eq!(refused, Err(AssessError::NegativeQuantity { item: 0 }));
}
