//! Examples of what happens on the way to the list of dishonest subjects, and on it.

use onenet_proto::{
    common::v1::{ObligationState, Position},
    credit::v1::{
        BlacklistEntry, CreditCaseNotOpened, CreditCaseOpened, Listing, ListingDecided,
        ListingDecision, ListingLevel, ListingNotice, ListingNoticeServed, ListingOutcome,
        ListingsAcknowledged, Measure, MeasureEffect, MeasureField, NotOpenedOutcome, PenaltyFacts,
        Proposal, Removal, RemovalReason, Statement, StatementPeriodEnded,
        StatementPeriodRescheduled, StatementRecorded, Subject, SubjectKind, SubjectListed,
        SubjectRemoved,
    },
};

use crate::examples::{CASE, ORGAN, OTHER, PLANT, example, obligation, text};

pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    [cases(), listings()].concat()
}

fn entry() -> BlacklistEntry {
    let listing = Listing {
        listing_id: text(CASE),
        level: ListingLevel::SeriouslyDishonest.into(),
        rule_set: text("MEM-11"),
        trigger: text("MEM11-B1"),
        penalty_case_id: text(OTHER),
        penalty_organ: text(ORGAN),
        penalty_document_number: text("应急罚〔2026〕12号"),
        decision_organ: text(ORGAN),
        decision_document_number: text("应急列〔2026〕3号"),
        decided_on: text("2026-06-01"),
        listed_on: text("2026-06-05"),
        expires_on: text("2029-06-05"),
        measures: vec![measure()],
    };
    BlacklistEntry {
        subject: text(PLANT),
        name: text("某化工有限公司"),
        kind: SubjectKind::Unit.into(),
        in_force: vec![listing],
    }
}

fn measure() -> Measure {
    Measure {
        field: MeasureField::GovernmentProcurement.into(),
        effect: MeasureEffect::Forbid.into(),
        legal_basis: text("政府采购法第二十二条"),
        executing_organ: text(ORGAN),
    }
}

fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let subject = Subject {
        uscc: text(PLANT),
        name: text("某化工有限公司"),
        kind: SubjectKind::Unit.into(),
        division: text("410102"),
        industry: text("2614"),
    };
    let penalty = PenaltyFacts {
        case_id: text(OTHER),
        organ: text(ORGAN),
        document_number: text("应急罚〔2026〕12号"),
        decided_on: text("2026-04-15"),
        effective_on: text("2026-04-20"),
        violations: vec![text("V-UNLICENSED")],
        fine_multiple: Some(text("2.5")),
    };
    let statement = |state| Some(obligation("credit.listing_statement", state));
    vec![
        example(
            "onenet.credit.v1.CreditCaseOpened",
            &CreditCaseOpened {
                credit_case_id: text(CASE),
                subject: Some(subject.clone()),
                penalty: Some(penalty.clone()),
                rule_set: text("MEM-11"),
                trigger: text("MEM11-B1"),
                proposal: Some(Proposal { organ: text(ORGAN), grounds: text("理由") }),
            },
        ),
        example(
            "onenet.credit.v1.CreditCaseNotOpened",
            &CreditCaseNotOpened {
                subject: Some(subject),
                penalty: Some(penalty),
                outcome: NotOpenedOutcome::OutOfScope.into(),
                rule_set: Some(text("MEM-11")),
                triggers: vec![text("MEM11-B1")],
            },
        ),
        example(
            "onenet.credit.v1.ListingNoticeServed",
            &ListingNoticeServed {
                credit_case_id: text(CASE),
                notice: Some(ListingNotice {
                    document_number: text("列告〔2026〕3号"),
                    served_on: text("2026-05-06"),
                }),
                statement_period: statement(ObligationState::Open),
            },
        ),
        example(
            "onenet.credit.v1.StatementRecorded",
            &StatementRecorded {
                credit_case_id: text(CASE),
                statement: Some(Statement {
                    received_on: text("2026-05-08"),
                    summary: text("申辩意见"),
                }),
            },
        ),
        example(
            "onenet.credit.v1.StatementPeriodEnded",
            &StatementPeriodEnded {
                credit_case_id: text(CASE),
                statement_period: statement(ObligationState::Passed),
            },
        ),
        example(
            "onenet.credit.v1.StatementPeriodRescheduled",
            &StatementPeriodRescheduled {
                credit_case_id: text(CASE),
                statement_period: statement(ObligationState::Open),
                previous_due_at: Some(prost_types::Timestamp { seconds: 1_789_913_600, nanos: 0 }),
            },
        ),
        example(
            "onenet.credit.v1.ListingDecided",
            &ListingDecided {
                credit_case_id: text(CASE),
                decision: Some(ListingDecision {
                    outcome: ListingOutcome::List.into(),
                    document_number: text("应急列〔2026〕3号"),
                    decided_on: text("2026-06-01"),
                    reasons: text("理由"),
                    measures: vec![measure()],
                }),
            },
        ),
    ]
}

fn listings() -> Vec<(&'static str, Vec<u8>)> {
    let expiry = |state| Some(obligation("credit.listing_expiry", state));
    vec![
        example(
            "onenet.credit.v1.SubjectListed",
            &SubjectListed {
                subject: text(PLANT),
                listing_id: text(CASE),
                entry: Some(entry()),
                expiry: expiry(ObligationState::Open),
            },
        ),
        example(
            "onenet.credit.v1.SubjectRemoved",
            &SubjectRemoved {
                subject: text(PLANT),
                listing_id: text(OTHER),
                removal: Some(Removal {
                    reason: RemovalReason::PenaltyRevoked.into(),
                    removed_on: text("2026-07-01"),
                    document_number: Some(text("移出〔2026〕1号")),
                }),
                entry: Some(entry()),
                expiry: expiry(ObligationState::Met),
            },
        ),
        example(
            "onenet.credit.v1.ListingsAcknowledged",
            &ListingsAcknowledged {
                reader: text(PLANT),
                division: text("41"),
                after: 40,
                upto: Some(Position { log_id: text(CASE), epoch: 1, number: 47 }),
                count: 3,
                digest: "ab".repeat(32),
            },
        ),
    ]
}
