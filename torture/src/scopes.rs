//! What the two agencies that subscribe are granted and want.

use onenet_chassis::testing::uscc;
use onenet_kernel::Timestamp;

use crate::{
    rights::{Felt, Grant, Scope},
    setup::{INDUSTRY, OTHER_PLACE, PLACE},
};

/// Types that the steady agency has a grant for.
pub(crate) const GRANTED: [&str; 5] = [
    "onenet.enterprise.v1.EnterpriseRegistered",
    "onenet.enterprise.v1.KeyEnterpriseDesignated",
    "onenet.enforcement.v1.PenaltyTookEffect",
    "onenet.credit.v1.SubjectListed",
    "onenet.credit.v1.SubjectRemoved",
];
/// Types that the other agency has a grant for, while it has one: withdrawals are not among them.
const CHANGING_GRANTED: [&str; 6] = [
    "onenet.hazard.v1.HiddenDangerReported",
    "onenet.hazard.v1.HiddenDangerCorrected",
    "onenet.hazard.v1.TreatmentReported",
    "onenet.hazard.v1.TreatmentReportCorrected",
    "onenet.hazard.v1.RectificationOrdered",
    "onenet.hazard.v1.HiddenDangerOverdue",
];

/// Of what was given before anything else was recorded.
pub(crate) const FROM_THE_BEGINNING: Felt =
    Felt { from: Timestamp::from_micros(0), until: Timestamp::from_micros(0) };

/// Never revoked.
pub(crate) fn steady_grant() -> Grant {
    Grant { scope: of_types(&GRANTED), given: FROM_THE_BEGINNING, revoked: None }
}

/// What the other agency is granted by turns: of the whole province, twice so that much is delivered; of a county, of an
/// industry in a city, of some industries in a county, of others everywhere.
pub(crate) fn granted() -> Vec<Scope> {
    let whole = of_types(&CHANGING_GRANTED);
    let [city, county] = ["4101", OTHER_PLACE].map(|code| Some(code.to_owned()));
    let [chemical, refining, mining] = ["26", "25", "0610"].map(str::to_owned);
    vec![
        Scope { subtree: county.clone(), ..whole.clone() },
        Scope { subtree: city, industries: vec![chemical.clone()], ..whole.clone() },
        Scope { subtree: county, industries: vec![chemical, mining.clone()], ..whole.clone() },
        Scope { industries: vec![refining, mining], ..whole.clone() },
        whole.clone(),
        whole,
    ]
}

/// What it wants by turns: all that it may have, most often; reports alone, all but reports, all of a county, of some
/// industries, of the plant with this serial, and reports of some industries in a county.
pub(crate) fn wanted(plant: u32) -> Vec<Scope> {
    let [reported, rest @ ..] = CHANGING_GRANTED;
    let all = Scope::default;
    let county = Some(PLACE.to_owned());
    let industries = vec![INDUSTRY.to_owned(), "06".to_owned()];
    vec![
        all(),
        all(),
        all(),
        of_types(&[reported]),
        of_types(&rest),
        Scope { subtree: county.clone(), ..all() },
        Scope { industries: industries.clone(), ..all() },
        Scope { subject: Some(uscc(plant)), ..all() },
        Scope { subtree: county, industries, ..of_types(&[reported]) },
    ]
}

fn of_types(event_types: &[&str]) -> Scope {
    let event_types = event_types.iter().map(|&name| name.to_owned()).collect();
    Scope { event_types, ..Scope::default() }
}
