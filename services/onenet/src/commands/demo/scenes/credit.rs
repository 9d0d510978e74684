use anyhow::{Context as _, Result, bail, ensure};
use onenet_devservers::Identity;
use onenet_kafka::{Cluster, Tls, read_topic};
use onenet_proto::{
    common::v1::Receipt,
    credit::v1::{
        BlacklistRecord, CreditCaseState, CreditCaseView, DecideListingRequest,
        GetBlacklistEntryRequest, GetCreditCaseRequest, GetPenaltyJudgementRequest,
        ListingDecision, ListingNotice, ListingOutcome, Measure, MeasureEffect, MeasureField,
        Removal, RemovalReason, RemoveListingRequest, ServeListingDecisionRequest,
        ServeListingNoticeRequest, blacklist_record::State,
        credit_service_client::CreditServiceClient, get_penalty_judgement_response::Judgement,
    },
};
use prost::Message as _;
use tonic::transport::Channel;

use super::{BETWEEN_LOOKS, InEffect, LOOKS, Stage, new_id, say, told};

const BLACKLIST: &str = "onenet.credit.blacklist.v1";

impl Stage<'_> {
    fn credit(&self) -> Result<CreditServiceClient<Channel>> {
        Ok(CreditServiceClient::new(self.channel(&self.cast.county)?))
    }

    /// A reaction opens the case; notice, statement period, decision and service follow.
    pub(in super::super) async fn listing(&self, penalty: &InEffect) -> Result<String> {
        say("\n[8] 列入严重失信主体名单 / the subject is listed (应急管理部令第11号)");
        let mut credit = self.credit()?;
        let ask = GetPenaltyJudgementRequest {
            fresh_as: vec![penalty.receipt.clone()],
            penalty_case_id: penalty.case_id.clone(),
        };
        let judged = credit.get_penalty_judgement(ask).await?.into_inner().judgement;
        let Some(Judgement::CreditCaseId(case_id)) = judged else { bail!("no case was opened") };
        let case = self.credit_case(&case_id, None).await?;
        say(&format!("  规则 {} 触发 {} / the trigger that holds", case.rule_set, case.trigger));

        let notice = ServeListingNoticeRequest {
            command_id: new_id(),
            subject: self.cast.plant.clone(),
            credit_case_id: case_id.clone(),
            notice: Some(ListingNotice {
                document_number: "（中原）应急列告〔2026〕3号".to_owned(),
                served_on: self.cast.ago(140),
            }),
            ..ServeListingNoticeRequest::default()
        };
        credit.serve_listing_notice(notice).await?;
        let case = self.credit_case(&case_id, Some(CreditCaseState::ToBeDecided)).await?;
        ensure!(case.state() == CreditCaseState::ToBeDecided, "the clock did not fire");
        say("  陈述申辩期满，由时钟记录 / the statement period has ended: the clock recorded it");
        let listed = self.decide_and_serve(&case_id).await?;
        self.print_blacklist(listed).await?;
        Ok(case_id)
    }

    async fn decide_and_serve(&self, case_id: &str) -> Result<Option<Receipt>> {
        let mut credit = self.credit()?;
        let decide = DecideListingRequest {
            command_id: new_id(),
            subject: self.cast.plant.clone(),
            credit_case_id: case_id.to_owned(),
            decision: Some(ListingDecision {
                outcome: ListingOutcome::List.into(),
                document_number: "（中原）应急列〔2026〕3号".to_owned(),
                decided_on: self.cast.ago(100),
                reasons: "未取得许可从事生产，无正当陈述申辩理由".to_owned(),
                measures: vec![Measure {
                    field: MeasureField::GovernmentProcurement.into(),
                    effect: MeasureEffect::Forbid.into(),
                    legal_basis: "政府采购法第二十二条".to_owned(),
                    executing_organ: self.cast.province.clone(),
                }],
            }),
            ..DecideListingRequest::default()
        };
        credit.decide_listing(decide).await?;
        let serve = ServeListingDecisionRequest {
            command_id: new_id(),
            subject: self.cast.plant.clone(),
            credit_case_id: case_id.to_owned(),
            served_on: self.cast.ago(95),
            ..ServeListingDecisionRequest::default()
        };
        let listed = credit.serve_listing_decision(serve).await?.into_inner().receipt;
        say(&format!("  已列入 / listed {}", told(listed.as_ref())));
        Ok(listed)
    }

    /// The penalty is revoked, so the listing ends: explicitly, with its reason.
    pub(in super::super) async fn removal(&self, listing_id: &str) -> Result<()> {
        say("\n[9] 处罚被撤销，移出名单 / the penalty is revoked, the subject is removed");
        let remove = RemoveListingRequest {
            command_id: new_id(),
            subject: self.cast.plant.clone(),
            listing_id: listing_id.to_owned(),
            removal: Some(Removal {
                reason: RemovalReason::PenaltyRevoked.into(),
                removed_on: self.cast.ago(10),
                document_number: Some("（中原）应急移出〔2026〕1号".to_owned()),
            }),
            ..RemoveListingRequest::default()
        };
        let removed = self.credit()?.remove_listing(remove).await?.into_inner().receipt;
        self.print_blacklist(removed).await
    }

    /// The case once it is in a state; a clock looks at most every half second.
    async fn credit_case(
        &self,
        case_id: &str,
        state: Option<CreditCaseState>,
    ) -> Result<CreditCaseView> {
        let mut credit = self.credit()?;
        for _ in 0..LOOKS {
            let get = GetCreditCaseRequest { fresh_as: vec![], credit_case_id: case_id.to_owned() };
            let view =
                credit.get_credit_case(get).await?.into_inner().credit_case.context("a view")?;
            if state.is_none_or(|state| view.state() == state) {
                return Ok(view);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        bail!("the credit case did not come to {state:?} within a minute")
    }

    /// The subject's state as the service answers it, and as any consumer of the topic sees it.
    async fn print_blacklist(&self, after: Option<Receipt>) -> Result<()> {
        let fresh_as = after.into_iter().collect();
        let get = GetBlacklistEntryRequest { fresh_as, subject: self.cast.plant.clone() };
        let answer = self.credit()?.get_blacklist_entry(get).await?.into_inner();
        let expected = answer.record.context("a record")?;
        let Some(node) = self.own.node.settings().cluster() else {
            say(&format!("  GetBlacklistEntry: {}", described(&expected)));
            return Ok(());
        };
        // the platform reads it, as itself
        let Identity { certificate, key } = self.own.node.organisation(&self.cast.platform)?;
        let tls = Some(Tls { ca: self.own.node.authority(), certificate, key });
        let cluster = Cluster { caller: self.cast.platform.clone(), tls, ..node };
        for _ in 0..LOOKS {
            let newest = read_topic(&cluster, BLACKLIST).await?.pop();
            let bytes = newest.and_then(|record| record.value).unwrap_or_default();
            if BlacklistRecord::decode(bytes)? == expected {
                say(&format!("  {BLACKLIST}: {}", described(&expected)));
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        bail!("the blacklist topic did not come to what the service answers within a minute")
    }
}

fn described(record: &BlacklistRecord) -> String {
    match &record.state {
        Some(State::Entry(entry)) => {
            let triggers: Vec<&str> =
                entry.in_force.iter().map(|listing| listing.trigger.as_str()).collect();
            format!("{} 在列 / in force: {}", record.subject, triggers.join(", "))
        }
        Some(State::NothingInForce(nothing)) => format!(
            "{} 无有效列入 / nothing in force: {}",
            record.subject,
            nothing.reason().as_str_name()
        ),
        None => format!("{} ?", record.subject),
    }
}
