//! The read models, through the calls that list what they hold.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Result;
use onenet_chassis::{receipt_to_wire, testing::uscc};
use onenet_kernel::Recorded;
use onenet_proto::{
    common::v1::{Page, PageRequest, Receipt},
    enforcement::v1::{ListCasesRequest, case_service_client::CaseServiceClient},
    enterprise::v1::{ListEnterprisesRequest, enterprise_service_client::EnterpriseServiceClient},
    hazard::v1::{
        ListHiddenDangersRequest, hidden_danger_service_client::HiddenDangerServiceClient,
    },
};
use tonic::Status;

use super::PAGE;
use crate::{
    ask::timed,
    names::Names,
    node::Node,
    seen::Context,
    setup::{PROVINCE, patiently},
};

/// In front of the keys of the streams that are shown.
pub(super) const KINDS: [&str; 3] = ["enterprise-", "case-", "hidden_danger-"];

/// A page of a list: each stream with its version, and how the list goes on.
type Shown = (Vec<(String, u64)>, Option<Page>);

/// Each stream with its version, as fresh as the end of its log.
pub(super) async fn read_models(
    node: &Node,
    newest: &BTreeMap<Context, Recorded>,
    names: &Names,
) -> Result<BTreeMap<Arc<str>, u64>> {
    let caller = node.caller(&uscc(PROVINCE))?;
    let fresh = |context| newest.get(&context).map(fresh_as).unwrap_or_default();
    let mut shown = BTreeMap::new();

    let enterprises = EnterpriseServiceClient::new(caller.channel(Context::Enterprise)?);
    let listing = async |page: PageRequest| {
        let (fresh_as, page) = (fresh(Context::Enterprise), Some(page));
        let ask = ListEnterprisesRequest { fresh_as, page, ..Default::default() };
        let answer = enterprises.clone().list_enterprises(timed(ask)).await?.into_inner();
        let views = answer.enterprises.into_iter().map(|view| {
            let uscc = view.enterprise.unwrap_or_default().uscc;
            (format!("{}{uscc}", KINDS[0]), view.version)
        });
        Ok((views.collect(), answer.page))
    };
    shown.extend(every_page(listing, names).await?);

    let cases = CaseServiceClient::new(caller.channel(Context::Enforcement)?);
    let listing = async |page: PageRequest| {
        let (fresh_as, page) = (fresh(Context::Enforcement), Some(page));
        let ask = ListCasesRequest { fresh_as, page, ..Default::default() };
        let answer = cases.clone().list_cases(timed(ask)).await?.into_inner();
        let views = answer.cases.into_iter();
        let views = views.map(|view| (format!("{}{}", KINDS[1], view.case_id), view.version));
        Ok((views.collect(), answer.page))
    };
    shown.extend(every_page(listing, names).await?);

    let dangers = HiddenDangerServiceClient::new(caller.channel(Context::Hazard)?);
    let listing = async |page: PageRequest| {
        let (fresh_as, page) = (fresh(Context::Hazard), Some(page));
        let ask = ListHiddenDangersRequest { fresh_as, page, ..Default::default() };
        let answer = dangers.clone().list_hidden_dangers(timed(ask)).await?.into_inner();
        let views = answer.hidden_dangers.into_iter();
        let views =
            views.map(|view| (format!("{}{}", KINDS[2], view.hidden_danger_id), view.version));
        Ok((views.collect(), answer.page))
    };
    shown.extend(every_page(listing, names).await?);
    Ok(shown)
}

pub(super) async fn every_page(
    listing: impl AsyncFn(PageRequest) -> Result<Shown, Status>,
    names: &Names,
) -> Result<Vec<(Arc<str>, u64)>> {
    let (mut shown, mut page_token) = (Vec::new(), String::new());
    loop {
        let page = PageRequest { page_size: PAGE, page_token };
        let (views, next) =
            patiently("a page of a read model", async || listing(page.clone()).await).await?;
        shown.extend(views.into_iter().map(|(stream, version)| (names.of(&stream), version)));
        page_token = next.unwrap_or_default().next_page_token;
        if page_token.is_empty() {
            return Ok(shown);
        }
    }
}

/// What an answer has to have seen: the end of a log.
pub(super) fn fresh_as(newest: &Recorded) -> Vec<Receipt> {
    vec![receipt_to_wire(&onenet_kernel::Receipt {
        stream: newest.stream.clone(),
        version: newest.version,
        position: newest.position,
        recorded_at: newest.recorded_at,
    })]
}
