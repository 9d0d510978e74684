//! One subject through its whole history. Each file tests one stretch of it.

mod listing;
mod opening;
mod procedure;

use std::sync::Arc;

use jiff::civil::{Date, date};
use num_rational::BigRational;
use onenet_kernel::{Timestamp, testing::given};
use onenet_standards::{Deadline, listing::NotOpenedOutcome};

use super::*;
use crate::domain::{
    DecidedRemoval, Listing, ListingDecision, ListingLevel, ListingNotice, ListingOutcome, Measure,
    MeasureEffect, MeasureField, Obligation, ObligationKind, ObligationState, Removal,
    RemovalGround, Statement, StatementPeriod, SubjectKind,
};

const PENALTY: Uuid = Uuid::from_u128(0x7d1f_6a0c_52b4_5b0e_8f1e_0a9c_4f3b_2d77);
const EFFECTIVE_ON: Date = date(2026, 3, 2);
const NOTICE_ON: Date = date(2026, 3, 6);
/// Five working days later.
const LAST_DAY: Date = date(2026, 3, 13);
const DECIDED_ON: Date = date(2026, 3, 16);
const LISTED_ON: Date = date(2026, 3, 20);
const EXPIRES_ON: Date = date(2029, 3, 20);

fn case_id() -> Uuid {
    credit_case_id(PENALTY)
}

fn organ() -> Uscc {
    Uscc::from_body("11410100MB1234561").unwrap()
}

fn other_organ() -> Uscc {
    Uscc::from_body("11410200MB1234561").unwrap()
}

fn subject() -> Subject {
    Subject {
        uscc: Uscc::from_body("91410100MA1B3N1N2").unwrap(),
        name: "郑州某化工有限公司".to_owned(),
        kind: SubjectKind::Unit,
        division: "410102".to_owned(),
        industry: "2614".to_owned(),
    }
}

fn penalty() -> PenaltyFacts {
    PenaltyFacts {
        case_id: PENALTY,
        organ: organ(),
        document_number: "（郑）应急罚〔2026〕12号".to_owned(),
        decided_on: date(2026, 2, 27),
        effective_on: EFFECTIVE_ON,
        violations: vec!["V-UNLICENSED".to_owned()],
        fine_multiple: Some(BigRational::new(5.into(), 2.into())),
    }
}

fn rules() -> Arc<ListingRules> {
    Arc::new(ListingRules::embedded().unwrap())
}

fn proposal() -> Proposal {
    Proposal { organ: organ(), grounds: "性质恶劣，情节严重".to_owned() }
}

fn notice() -> ListingNotice {
    ListingNotice { document_number: "应急告〔2026〕3号".to_owned(), served_on: NOTICE_ON }
}

fn statement() -> Statement {
    Statement { received_on: date(2026, 3, 10), summary: "许可证正在办理".to_owned() }
}

fn measure() -> Measure {
    Measure {
        field: MeasureField::GovernmentProcurement,
        effect: MeasureEffect::Restrict,
        legal_basis: "《中华人民共和国政府采购法》第二十二条".to_owned(),
        executing_organ: other_organ(),
    }
}

fn decision() -> ListingDecision {
    ListingDecision {
        outcome: ListingOutcome::List(vec![measure()]),
        document_number: "应急列〔2026〕3号".to_owned(),
        decided_on: DECIDED_ON,
        reasons: "陈述不影响违法事实的认定".to_owned(),
    }
}

fn not_to_list() -> ListingDecision {
    ListingDecision { outcome: ListingOutcome::DoNotList, ..decision() }
}

fn early_exit(removed_on: Date) -> DecidedRemoval {
    DecidedRemoval {
        ground: RemovalGround::EarlyExit,
        removed_on,
        document_number: "应急移〔2027〕1号".to_owned(),
    }
}

fn listing() -> Listing {
    Listing {
        listing_id: case_id(),
        level: ListingLevel::SeriouslyDishonest,
        rule_set: "MEM-11".to_owned(),
        trigger: "MEM11-B1".to_owned(),
        penalty_case_id: PENALTY,
        penalty_organ: organ(),
        penalty_document_number: penalty().document_number,
        decision_organ: organ(),
        decision_document_number: decision().document_number,
        decided_on: DECIDED_ON,
        listed_on: LISTED_ON,
        expires_on: EXPIRES_ON,
        measures: vec![measure()],
    }
}

fn entry() -> BlacklistEntry {
    BlacklistEntry {
        subject: subject().uscc,
        name: subject().name,
        kind: SubjectKind::Unit,
        in_force: vec![listing()],
    }
}

/// 24:00 of the last day in Beijing.
fn statement_due_at() -> Timestamp {
    // 2026-03-13T16:00:00Z
    Timestamp::from_micros(1_773_417_600_000_000)
}

fn expiry_due_at() -> Timestamp {
    // 2029-03-19T16:00:00Z
    Timestamp::from_micros(1_868_630_400_000_000)
}

fn obligation(state: ObligationState) -> Obligation {
    Obligation {
        id: Uuid::new_v5(&case_id(), b"credit.listing_statement"),
        organ: organ(),
        kind: ObligationKind::ListingStatement,
        legal_basis: "参照行政处罚法第六十四条".to_owned(),
        due_at: statement_due_at(),
        calendar_version: "CN-2026".to_owned(),
        provisional: false,
        state,
    }
}

fn expiry(state: ObligationState) -> Obligation {
    Obligation {
        id: Uuid::new_v5(&case_id(), b"credit.listing_expiry"),
        kind: ObligationKind::ListingExpiry,
        legal_basis: rules().terms("MEM-11").unwrap().legal_basis,
        due_at: expiry_due_at(),
        calendar_version: String::new(),
        ..obligation(state)
    }
}

fn opened() -> Event {
    Event::CreditCaseOpened {
        credit_case_id: case_id(),
        subject: subject(),
        penalty: penalty(),
        rule_set: "MEM-11".to_owned(),
        trigger: "MEM11-B1".to_owned(),
        proposal: None,
    }
}

fn not_opened(outcome: NotOpenedOutcome) -> Event {
    Event::CreditCaseNotOpened {
        subject: subject(),
        penalty: penalty(),
        outcome,
        rule_set: Some("MEM-11".to_owned()),
        triggers: vec!["MEM11-B1".to_owned()],
    }
}

fn notice_served() -> Event {
    Event::ListingNoticeServed {
        credit_case_id: case_id(),
        notice: notice(),
        statement_period: obligation(ObligationState::Open),
    }
}

fn period_ended() -> Event {
    Event::StatementPeriodEnded {
        credit_case_id: case_id(),
        statement_period: obligation(ObligationState::Passed),
    }
}

fn statement_recorded() -> Event {
    Event::StatementRecorded { credit_case_id: case_id(), statement: statement() }
}

fn decided(decision: ListingDecision) -> Event {
    Event::ListingDecided { credit_case_id: case_id(), decision }
}

fn listed() -> Event {
    Event::SubjectListed {
        subject: subject().uscc,
        listing_id: case_id(),
        entry: entry(),
        expiry: expiry(ObligationState::Open),
    }
}

fn removed(removal: Removal, state: ObligationState) -> Event {
    Event::SubjectRemoved {
        subject: subject().uscc,
        listing_id: case_id(),
        removal,
        entry: None,
        expiry: expiry(state),
    }
}

fn serve_notice() -> Command {
    Command::ServeListingNotice {
        credit_case_id: case_id(),
        organ: organ(),
        notice: notice(),
        period: StatementPeriod {
            deadline: Deadline { on: LAST_DAY, provisional: false },
            calendar_version: "CN-2026".to_owned(),
            legal_basis: "参照行政处罚法第六十四条".to_owned(),
        },
    }
}

fn record_statement(statement: Statement) -> Command {
    Command::RecordStatement { credit_case_id: case_id(), organ: organ(), statement }
}

fn decide_listing(decision: ListingDecision) -> Command {
    Command::DecideListing { credit_case_id: case_id(), organ: organ(), decision }
}

fn serve_decision(served_on: Date) -> Command {
    Command::ServeListingDecision {
        credit_case_id: case_id(),
        organ: organ(),
        served_on,
        rules: rules(),
    }
}

fn remove_listing(removal: DecidedRemoval) -> Command {
    Command::RemoveListing { listing_id: case_id(), organ: organ(), removal, rules: rules() }
}

/// Up to the served notice.
fn noticed() -> Vec<Event> {
    vec![opened(), notice_served()]
}

/// Up to the decision to list.
fn to_be_listed() -> Vec<Event> {
    [noticed(), vec![period_ended(), decided(decision())]].concat()
}

/// Up to the listing.
fn in_force() -> Vec<Event> {
    [to_be_listed(), vec![listed()]].concat()
}
