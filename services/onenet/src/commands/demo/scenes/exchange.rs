use anyhow::Result;
use onenet_proto::exchange::v1::{
    Agency, GiveGrantRequest, GrantTerms, RegisterAgencyRequest,
    exchange_service_client::ExchangeServiceClient,
};
use tonic::Status;

use super::{Stage, Watcher, new_id, patiently, say};

impl Stage<'_> {
    /// A grant opens some types of an area; the stream catches up and goes on live.
    pub(in super::super) async fn agency(&self) -> Result<Watcher> {
        say(
            "\n[6] 信用平台接入并订阅 / the credit platform is registered, granted, and subscribes",
        );
        let mut province = ExchangeServiceClient::new(self.channel(&self.cast.province)?);
        let agency = Agency {
            uscc: self.cast.platform.clone(),
            name: "省信用信息共享交换平台".to_owned(),
            division: "41".to_owned(),
            certificate_sha256: vec![self.own.node.fingerprint(&self.cast.platform)?],
        };
        let register = RegisterAgencyRequest {
            command_id: new_id(),
            agency: Some(agency),
            ..RegisterAgencyRequest::default()
        };
        patiently(async || province.clone().register_agency(register.clone()).await).await?;
        let event_types =
            ["hazard.v1.MajorHazardFiled", "credit.v1.SubjectListed", "credit.v1.SubjectRemoved"];
        let terms = GrantTerms {
            event_types: event_types.iter().map(|name| format!("onenet.{name}")).collect(),
            subtree: "41".to_owned(),
            industries: Vec::new(),
            purpose: "失信联合惩戒".to_owned(),
            legal_basis: "应急管理部令第11号；政务数据共享条例".to_owned(),
            from_on: self.cast.ago(300),
            to_on: None,
        };
        let grant = GiveGrantRequest {
            command_id: new_id(),
            agency: self.cast.platform.clone(),
            terms: Some(terms),
            ..GiveGrantRequest::default()
        };
        province.give_grant(grant).await?;
        let channel = self.channel(&self.cast.platform)?;
        let mut watcher = patiently(async || {
            Watcher::subscribe(channel.clone()).await.map_err(|error| {
                error
                    .downcast::<Status>()
                    .unwrap_or_else(|error| Status::unknown(error.to_string()))
            })
        })
        .await?;
        watcher.until("MajorHazardFiled").await?;
        say("  已收到备案事件 / it has received the filing, which came before it subscribed");
        Ok(watcher)
    }

    /// What the agency has, all in all.
    pub(in super::super) async fn ending(&self, mut watcher: Watcher) -> Result<()> {
        let received = watcher.until("SubjectRemoved").await?;
        say("\n[10] 信用平台按顺序恰好一次收到 / the platform has received, once and in order");
        for (sequence, name) in (1..).zip(received) {
            say(&format!("  {sequence} {name}"));
        }
        Ok(())
    }
}
