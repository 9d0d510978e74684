use anyhow::{Context as _, Result};
use onenet_proto::{
    common::v1::{Money, Receipt},
    enforcement::v1::{
        DecidePenaltyRequest, OpenCaseRequest, Penalty, PenaltyKind, ServePenaltyRequest,
        case_service_client::CaseServiceClient,
    },
};

use super::{Stage, new_id, say, told};

/// A penalty that took effect.
pub(in super::super) struct InEffect {
    pub(super) case_id: String,
    pub(super) receipt: Receipt,
}

impl Stage<'_> {
    /// 立案 → 处罚决定 → 送达.
    pub(in super::super) async fn penalty(&self, plant: &Receipt) -> Result<InEffect> {
        say("\n[7] 立案、处罚、送达 / a case is opened, a penalty decided and served");
        let mut county = CaseServiceClient::new(self.channel(&self.cast.county)?);
        let open = OpenCaseRequest {
            command_id: new_id(),
            fresh_as: vec![plant.clone()],
            party: self.cast.plant.clone(),
            filed_on: self.cast.ago(200),
            cause: "未取得安全生产许可证从事危险化学品生产".to_owned(),
            ..OpenCaseRequest::default()
        };
        let opened = county.open_case(open).await?.into_inner();
        let decide = DecidePenaltyRequest {
            command_id: new_id(),
            case_id: opened.case_id.clone(),
            penalty: Some(Penalty {
                document_number: "（中原）应急罚〔2026〕12号".to_owned(),
                decided_on: self.cast.ago(160),
                violations: vec!["V-UNLICENSED".to_owned()],
                kinds: vec![PenaltyKind::Fine.into()],
                fine: Some(Money { fen: 20_000_000 }),
                fine_multiple: None,
                legal_basis: "安全生产法".to_owned(),
                summary: "未取得许可擅自生产".to_owned(),
            }),
            ..DecidePenaltyRequest::default()
        };
        county.decide_penalty(decide).await?;
        let serve = ServePenaltyRequest {
            command_id: new_id(),
            case_id: opened.case_id.clone(),
            served_on: self.cast.ago(155),
            ..ServePenaltyRequest::default()
        };
        let served = county.serve_penalty(serve).await?.into_inner().receipt;
        say(&format!("  处罚生效 / in effect {}", told(served.as_ref())));
        Ok(InEffect { case_id: opened.case_id, receipt: served.context("a receipt")? })
    }
}
