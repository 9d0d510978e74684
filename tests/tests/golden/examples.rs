//! One example of each event, with every field that it can carry.

use onenet_proto::{
    common::v1::{Fraction, Money, Obligation, ObligationState},
    enforcement::v1 as enforcement,
    enterprise::v1 as enterprise,
    exchange::v1 as exchange,
    hazard::v1 as hazard,
};
use prost::Message;

use crate::{credit, hidden_dangers};

pub(crate) const ORGAN: &str = "11410000MB15291763";
pub(crate) const PLANT: &str = "91230500MA1B3N1N2M";
pub(crate) const CASE: &str = "0190f6a0-0000-7000-8000-000000000001";
pub(crate) const OTHER: &str = "0190f6a0-0000-7000-8000-000000000002";

/// Full names, and bytes.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let contexts = [enterprise(), hazard(), enforcement(), exchange()];
    [contexts.concat(), credit::all(), hidden_dangers::all()].concat()
}

pub(crate) fn example(name: &'static str, event: &impl Message) -> (&'static str, Vec<u8>) {
    (name, event.encode_to_vec())
}

pub(crate) fn text(text: &str) -> String {
    text.to_owned()
}

fn enterprise() -> Vec<(&'static str, Vec<u8>)> {
    let division = enterprise::Division {
        code: text("410102"),
        name: text("中原区"),
        level: enterprise::DivisionLevel::County.into(),
        parent: Some(text("4101")),
        jurisdiction_parent: Some(text("4101")),
        kind: enterprise::DivisionKind::Statutory.into(),
        valid_from_on: Some(text("1948-10-01")),
        valid_to_on: Some(text("2099-01-01")),
    };
    let organisation = enterprise::Organisation {
        uscc: text(ORGAN),
        name: text("省应急管理厅"),
        tier: enterprise::Tier::Province.into(),
        division: text("41"),
        functions: vec![enterprise::OrganisationFunction::Comprehensive.into()],
        industries: vec![text("26"), text("06")],
        enforcement_power: Some(enterprise::EnforcementPower {
            from_on: text("2018-11-01"),
            to_on: Some(text("2030-01-01")),
            legal_basis: text("安全生产法"),
        }),
    };
    let plant = enterprise::Enterprise {
        uscc: text(PLANT),
        name: text("某化工有限公司"),
        kind: enterprise::EnterpriseKind::Unit.into(),
        division: text("410102"),
        industry: text("2614"),
        address: text("工业路"),
    };
    vec![
        example(
            "onenet.enterprise.v1.DivisionRegistered",
            &enterprise::DivisionRegistered { division: Some(division) },
        ),
        example(
            "onenet.enterprise.v1.OrganisationRegistered",
            &enterprise::OrganisationRegistered { organisation: Some(organisation) },
        ),
        example(
            "onenet.enterprise.v1.EnterpriseProposed",
            &enterprise::EnterpriseProposed {
                enterprise: Some(plant.clone()),
                proposed_by: text(ORGAN),
            },
        ),
        example(
            "onenet.enterprise.v1.EnterpriseRegistered",
            &enterprise::EnterpriseRegistered {
                enterprise: Some(plant),
                registered_by: text(ORGAN),
                proposed_by: Some(text(ORGAN)),
            },
        ),
        example(
            "onenet.enterprise.v1.KeyEnterpriseDesignated",
            &enterprise::KeyEnterpriseDesignated {
                enterprise: text(PLANT),
                designated_by: text(ORGAN),
                basis: text("豫安委〔2026〕3号"),
            },
        ),
    ]
}

fn hazard() -> Vec<(&'static str, Vec<u8>)> {
    let fraction = |numerator: &str, denominator: &str| {
        Some(Fraction { numerator: text(numerator), denominator: text(denominator) })
    };
    let chlorine = hazard::AssessedSubstance {
        substance: Some(hazard::Substance {
            table1_no: Some(12),
            name: text("氯"),
            class_symbols: vec![text("J4")],
            quantity_t: text("12.5"),
        }),
        threshold_t: text("5"),
        beta: text("4"),
    };
    let identified = hazard::MajorHazardIdentified {
        hazard_id: text(CASE),
        enterprise: text(PLANT),
        division: text("410102"),
        industry: text("2614"),
        unit: Some(hazard::HazardUnit {
            name: text("液氯储罐区"),
            kind: hazard::HazardUnitKind::Storage.into(),
        }),
        assessment: Some(hazard::Assessment {
            substances: vec![chlorine],
            residents_within_500m: 1,
            s: fraction("5", "2"),
            alpha: fraction("1", "1"),
            r: fraction("10", "1"),
            level: hazard::MajorHazardLevel::Three.into(),
            rules_version: text("GB18218-2018"),
        }),
        identified_by: text(ORGAN),
        on_behalf: Some(hazard::OnBehalf {
            reason: text("企业停产"), record: text("检查记录1号")
        }),
        filing_state: hazard::FilingState::Unfiled.into(),
    };
    let filed = hazard::MajorHazardFiled {
        hazard_id: text(CASE),
        enterprise: text(PLANT),
        level: hazard::MajorHazardLevel::Three.into(),
        filing: Some(hazard::Filing {
            number: text("BA豫410102〔0001〕"),
            filed_on: text("2026-05-06"),
            filed_by: text(ORGAN),
        }),
        filing_state: hazard::FilingState::Filed.into(),
    };
    vec![
        example("onenet.hazard.v1.MajorHazardIdentified", &identified),
        example("onenet.hazard.v1.MajorHazardFiled", &filed),
    ]
}

fn enforcement() -> Vec<(&'static str, Vec<u8>)> {
    let party = enforcement::Party {
        uscc: text(PLANT),
        name: text("某化工有限公司"),
        kind: enforcement::PartyKind::Unit.into(),
        division: text("410102"),
        industry: text("2614"),
    };
    let penalty = enforcement::Penalty {
        document_number: text("（中原）应急罚〔2026〕12号"),
        decided_on: text("2026-04-15"),
        violations: vec![text("V-ACCIDENT-LIABLE-AGGRAVATED")],
        kinds: vec![
            enforcement::PenaltyKind::Fine.into(),
            enforcement::PenaltyKind::LicenceSuspension.into(),
        ],
        fine: Some(Money { fen: 20_000_000 }),
        fine_multiple: Some(text("2.5")),
        legal_basis: text("安全生产法 art.114"),
        summary: text("事实"),
    };
    vec![
        example(
            "onenet.enforcement.v1.CaseOpened",
            &enforcement::CaseOpened {
                case_id: text(CASE),
                organ: text(ORGAN),
                party: Some(party.clone()),
                filed_on: text("2026-03-02"),
                cause: text("案由"),
            },
        ),
        example(
            "onenet.enforcement.v1.PenaltyDecided",
            &enforcement::PenaltyDecided {
                case_id: text(CASE),
                organ: text(ORGAN),
                party: Some(party.clone()),
                penalty: Some(penalty.clone()),
            },
        ),
        example(
            "onenet.enforcement.v1.PenaltyTookEffect",
            &enforcement::PenaltyTookEffect {
                case_id: text(CASE),
                organ: text(ORGAN),
                party: Some(party),
                penalty: Some(penalty),
                effective_on: text("2026-04-20"),
            },
        ),
    ]
}

pub(crate) fn obligation(kind: &str, state: ObligationState) -> Obligation {
    Obligation {
        id: text(OTHER),
        organ: text(ORGAN),
        kind: text(kind),
        legal_basis: text("应急管理部令第11号"),
        due_at: Some(prost_types::Timestamp { seconds: 1_790_000_000, nanos: 0 }),
        calendar_version: text("CN-2026"),
        provisional: true,
        state: state.into(),
    }
}

fn exchange() -> Vec<(&'static str, Vec<u8>)> {
    let agency = exchange::Agency {
        uscc: text(PLANT),
        name: text("省信用信息共享交换平台"),
        division: text("41"),
        certificate_sha256: vec!["ab".repeat(32)],
    };
    let grant = exchange::Grant {
        grant_id: text(CASE),
        agency: text(PLANT),
        terms: Some(exchange::GrantTerms {
            event_types: vec![text("onenet.credit.v1.SubjectListed")],
            subtree: text("41"),
            industries: vec![text("26")],
            purpose: text("失信联合惩戒"),
            legal_basis: text("政务数据共享条例"),
            from_on: text("2026-01-01"),
            to_on: Some(text("2027-01-01")),
        }),
        given_by: text(ORGAN),
    };
    vec![
        example(
            "onenet.exchange.v1.AgencyRegistered",
            &exchange::AgencyRegistered { agency: Some(agency), registered_by: text(ORGAN) },
        ),
        example(
            "onenet.exchange.v1.AgencyCertificatesReplaced",
            &exchange::AgencyCertificatesReplaced {
                agency: text(PLANT),
                certificate_sha256: vec!["cd".repeat(32), "ef".repeat(32)],
                replaced_by: text(ORGAN),
                reason: text("证书到期"),
            },
        ),
        example("onenet.exchange.v1.GrantGiven", &exchange::GrantGiven { grant: Some(grant) }),
        example(
            "onenet.exchange.v1.GrantRevoked",
            &exchange::GrantRevoked {
                grant_id: text(CASE),
                agency: text(PLANT),
                revocation: Some(exchange::Revocation {
                    revoked_by: text(ORGAN),
                    reason: text("用途变更"),
                }),
            },
        ),
    ]
}
