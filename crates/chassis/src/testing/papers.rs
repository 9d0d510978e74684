//! What organs write on the way of a penalty to the list and off it, and what lets an agency in: with days that have
//! passed, so that on a node with the real clock every deadline is due at once.

use jiff::ToSpan as _;
use onenet_kernel::Clock as _;
use onenet_proto::{
    common::v1::Money,
    credit::v1::{
        ListingDecision, ListingNotice, ListingOutcome, Measure, MeasureEffect, MeasureField,
        Removal, RemovalReason,
    },
    enforcement::v1::{Penalty, PenaltyKind},
    enterprise::v1::{EnforcementPower, Organisation, Tier},
    exchange::v1::{Agency, GrantTerms},
};

use super::elsewhere::Registered;
use crate::day::{self, SystemClock};

/// The day so many days ago, in Beijing.
#[must_use]
pub fn ago(days: i32) -> String {
    day::of(SystemClock.now()).saturating_sub(days.days()).to_string()
}

/// A county's bureau, with the power to punish.
#[must_use]
pub fn bureau(uscc: &str, county: &str) -> Organisation {
    let power = EnforcementPower {
        from_on: "2018-11-01".to_owned(),
        to_on: None,
        legal_basis: "安全生产法".to_owned(),
    };
    let body = Registered::body(uscc, Tier::County, county);
    Organisation { enforcement_power: Some(power), ..body }
}

/// A fine for one violation.
#[must_use]
pub fn penalty(violation: &str) -> Penalty {
    Penalty {
        document_number: "（中原）应急罚〔2026〕12号".to_owned(),
        decided_on: ago(160),
        violations: vec![violation.to_owned()],
        kinds: vec![PenaltyKind::Fine.into()],
        fine: Some(Money { fen: 20_000_000 }),
        fine_multiple: None,
        legal_basis: "安全生产法".to_owned(),
        summary: "事实".to_owned(),
    }
}

/// The notice that a listing is intended.
#[must_use]
pub fn listing_notice() -> ListingNotice {
    ListingNotice { document_number: "列告1号".to_owned(), served_on: ago(140) }
}

/// The decision to list, with one measure that an organ carries out.
#[must_use]
pub fn listing_decision(executing_organ: String) -> ListingDecision {
    ListingDecision {
        outcome: ListingOutcome::List.into(),
        document_number: "列1号".to_owned(),
        decided_on: ago(100),
        reasons: "理由".to_owned(),
        measures: vec![Measure {
            field: MeasureField::GovernmentProcurement.into(),
            effect: MeasureEffect::Forbid.into(),
            legal_basis: "政府采购法第二十二条".to_owned(),
            executing_organ,
        }],
    }
}

/// The end of a listing whose penalty was revoked.
#[must_use]
pub fn removal() -> Removal {
    Removal {
        reason: RemovalReason::PenaltyRevoked.into(),
        removed_on: ago(10),
        document_number: Some("移出1号".to_owned()),
    }
}

/// An agency of the province that comes with a certificate.
#[must_use]
pub fn agency(uscc: String, certificate_sha256: String) -> Agency {
    Agency {
        uscc,
        name: "省信用信息共享交换平台".to_owned(),
        division: "41".to_owned(),
        certificate_sha256: vec![certificate_sha256],
    }
}

/// A grant of these types from all of the province.
#[must_use]
pub fn grant_terms(event_types: &[&str]) -> GrantTerms {
    GrantTerms {
        event_types: event_types.iter().map(|&name| name.to_owned()).collect(),
        subtree: "41".to_owned(),
        industries: vec![],
        purpose: "失信联合惩戒".to_owned(),
        legal_basis: "政务数据共享条例".to_owned(),
        from_on: ago(300),
        to_on: None,
    }
}
