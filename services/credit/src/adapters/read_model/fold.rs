//! What an event means for the views.

use onenet_proto::credit::v1::{
    CreditCaseState, CreditCaseView, GetPenaltyJudgementResponse, NotOpened,
    get_penalty_judgement_response::Judgement,
};

use crate::{
    adapters::wire,
    domain::{DishonestSubjectEvent as Event, ListingOutcome},
};

/// The case that an event opens.
pub(super) fn opened(event: &Event) -> Option<CreditCaseView> {
    let Event::CreditCaseOpened { credit_case_id, subject, penalty, rule_set, trigger, proposal } =
        event
    else {
        return None;
    };
    Some(CreditCaseView {
        credit_case_id: credit_case_id.to_string(),
        state: CreditCaseState::Open.into(),
        subject: Some(subject.into()),
        penalty: Some(penalty.into()),
        rule_set: rule_set.clone(),
        trigger: trigger.clone(),
        proposal: proposal.as_ref().map(Into::into),
        ..CreditCaseView::default()
    })
}

/// The case that an event is a step of.
pub(super) fn case_of(event: &Event) -> Option<String> {
    match event {
        Event::CreditCaseNotOpened { .. } => None,
        Event::CreditCaseOpened { credit_case_id: id, .. }
        | Event::ListingNoticeServed { credit_case_id: id, .. }
        | Event::StatementRecorded { credit_case_id: id, .. }
        | Event::StatementPeriodRescheduled { credit_case_id: id, .. }
        | Event::StatementPeriodEnded { credit_case_id: id, .. }
        | Event::ListingDecided { credit_case_id: id, .. }
        | Event::SubjectListed { listing_id: id, .. }
        | Event::SubjectRemoved { listing_id: id, .. } => Some(id.to_string()),
    }
}

/// What a step makes of its case.
pub(super) fn change(case: &mut CreditCaseView, event: &Event) {
    match event {
        Event::CreditCaseOpened { .. } | Event::CreditCaseNotOpened { .. } => {}
        Event::ListingNoticeServed { notice, statement_period, .. } => {
            case.set_state(CreditCaseState::NoticeServed);
            case.notice = Some(notice.into());
            case.obligation = Some(statement_period.into());
        }
        Event::StatementRecorded { statement, .. } => case.statements.push(statement.into()),
        Event::StatementPeriodRescheduled { statement_period, .. } => {
            case.obligation = Some(statement_period.into());
        }
        Event::StatementPeriodEnded { .. } => {
            case.set_state(CreditCaseState::ToBeDecided);
            case.obligation = None;
        }
        Event::ListingDecided { decision, .. } => {
            case.set_state(match decision.outcome {
                ListingOutcome::List(_) => CreditCaseState::DecidedToList,
                ListingOutcome::DoNotList => CreditCaseState::NotListed,
            });
            case.decision = Some(decision.into());
            case.obligation = None;
        }
        Event::SubjectListed { listing_id, entry, expiry, .. } => {
            let own = entry.in_force.iter().find(|listing| listing.listing_id == *listing_id);
            case.set_state(CreditCaseState::Listed);
            case.listed_on = own.map(|listing| listing.listed_on.to_string());
            case.expires_on = own.map(|listing| listing.expires_on.to_string());
            case.obligation = Some(expiry.into());
        }
        Event::SubjectRemoved { removal, .. } => {
            case.set_state(CreditCaseState::Removed);
            case.removal = Some(removal.into());
            case.obligation = None;
        }
    }
}

/// What became of a penalty, by its enforcement case.
pub(super) fn judgement(event: &Event) -> Option<(String, GetPenaltyJudgementResponse)> {
    let (penalty, judgement) = match event {
        Event::CreditCaseOpened { penalty, credit_case_id, .. } => {
            (penalty, Judgement::CreditCaseId(credit_case_id.to_string()))
        }
        Event::CreditCaseNotOpened { penalty, outcome, rule_set, triggers, .. } => {
            let not_opened = NotOpened {
                outcome: wire::outcome_code(*outcome),
                rule_set: rule_set.clone(),
                triggers: triggers.clone(),
            };
            (penalty, Judgement::NotOpened(not_opened))
        }
        _ => return None,
    };
    let view = GetPenaltyJudgementResponse { judgement: Some(judgement), incomplete: false };
    Some((penalty.case_id.to_string(), view))
}
