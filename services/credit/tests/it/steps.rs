//! The steps of a credit case as requests of its organ.

use onenet_proto::{
    common::v1::Receipt,
    credit::v1::{
        DecideListingRequest, ListingDecision, ListingNotice, ListingOutcome, Measure,
        MeasureEffect, MeasureField, ProposeListingRequest, RecordStatementRequest, Removal,
        RemovalReason, RemoveListingRequest, ServeListingDecisionRequest,
        ServeListingNoticeRequest, Statement,
    },
};
use tonic::Status;

use crate::support::{World, new_id, organ, other_organ, subject};

pub(crate) fn proposing(penalty_case_id: &str, trigger: &str) -> ProposeListingRequest {
    ProposeListingRequest {
        command_id: new_id(),
        subject: subject(),
        penalty_case_id: penalty_case_id.to_owned(),
        trigger: trigger.to_owned(),
        grounds: "性质恶劣，情节严重".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn noticing(case: &str, served_on: &str) -> ServeListingNoticeRequest {
    ServeListingNoticeRequest {
        command_id: new_id(),
        subject: subject(),
        credit_case_id: case.to_owned(),
        notice: Some(ListingNotice {
            document_number: "应急告〔2026〕3号".to_owned(),
            served_on: served_on.to_owned(),
        }),
        ..Default::default()
    }
}

pub(crate) fn stating(case: &str, received_on: &str) -> RecordStatementRequest {
    RecordStatementRequest {
        command_id: new_id(),
        subject: subject(),
        credit_case_id: case.to_owned(),
        statement: Some(Statement {
            received_on: received_on.to_owned(),
            summary: "许可证正在办理".to_owned(),
        }),
        ..Default::default()
    }
}

pub(crate) fn decision(outcome: ListingOutcome, decided_on: &str) -> ListingDecision {
    let measure = Measure {
        field: MeasureField::GovernmentProcurement.into(),
        effect: MeasureEffect::Restrict.into(),
        legal_basis: "《中华人民共和国政府采购法》第二十二条".to_owned(),
        executing_organ: other_organ(),
    };
    ListingDecision {
        outcome: outcome.into(),
        document_number: "应急列〔2026〕3号".to_owned(),
        decided_on: decided_on.to_owned(),
        reasons: "陈述不影响违法事实的认定".to_owned(),
        measures: if outcome == ListingOutcome::List { vec![measure] } else { vec![] },
    }
}

pub(crate) fn deciding(case: &str, decision: ListingDecision) -> DecideListingRequest {
    DecideListingRequest {
        command_id: new_id(),
        subject: subject(),
        credit_case_id: case.to_owned(),
        decision: Some(decision),
        ..Default::default()
    }
}

pub(crate) fn serving(case: &str, served_on: &str) -> ServeListingDecisionRequest {
    ServeListingDecisionRequest {
        command_id: new_id(),
        subject: subject(),
        credit_case_id: case.to_owned(),
        served_on: served_on.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn removing(
    listing: &str,
    reason: RemovalReason,
    removed_on: &str,
) -> RemoveListingRequest {
    RemoveListingRequest {
        command_id: new_id(),
        subject: subject(),
        listing_id: listing.to_owned(),
        removal: Some(Removal {
            reason: reason.into(),
            removed_on: removed_on.to_owned(),
            document_number: Some("应急移〔2026〕1号".to_owned()),
        }),
        ..Default::default()
    }
}

impl World {
    pub(crate) async fn notice(&self, case: &str, served_on: &str) -> Result<Receipt, Status> {
        let request = noticing(case, served_on);
        let answer = self.credit(&organ()).serve_listing_notice(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    pub(crate) async fn state(&self, case: &str, received_on: &str) -> Result<Receipt, Status> {
        let request = stating(case, received_on);
        let answer = self.credit(&organ()).record_statement(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    pub(crate) async fn decide(
        &self,
        case: &str,
        decision: ListingDecision,
    ) -> Result<Receipt, Status> {
        let request = deciding(case, decision);
        let answer = self.credit(&organ()).decide_listing(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    pub(crate) async fn serve(&self, case: &str, served_on: &str) -> Result<Receipt, Status> {
        let request = serving(case, served_on);
        let answer = self.credit(&organ()).serve_listing_decision(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    pub(crate) async fn remove(
        &self,
        listing: &str,
        reason: RemovalReason,
        removed_on: &str,
    ) -> Result<Receipt, Status> {
        let request = removing(listing, reason, removed_on);
        let answer = self.credit(&organ()).remove_listing(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    /// From the open case to the listing, on these days.
    pub(crate) async fn list(&self, case: &str, [notice, decided, listed]: [&str; 3]) -> Receipt {
        self.notice(case, notice).await.unwrap();
        self.decide(case, decision(ListingOutcome::List, decided)).await.unwrap();
        self.serve(case, listed).await.unwrap()
    }
}
