use anyhow::{Context as _, Result, ensure};
use onenet_proto::{
    common::v1::Receipt,
    enterprise::v1::{
        ConfirmEnterpriseRequest, Division, EnforcementPower, Enterprise, EnterpriseKind,
        Organisation, OrganisationFunction, RegisterEnterpriseRequest, RegisterOrganisationRequest,
        Tier, enterprise_service_client::EnterpriseServiceClient,
        organisation_service_client::OrganisationServiceClient,
    },
};

use super::{Cast, PLACE, Stage, TOWNSHIP, new_id, patiently, say, told};
use crate::commands::{
    OPERATOR,
    import::{Row, divisions},
};

impl Stage<'_> {
    /// The real tree of Henan.
    pub(in super::super) async fn divisions(&self, rows: Vec<Row<Division>>) -> Result<()> {
        say("\n[2] 导入河南省行政区划（真实数据）/ the real division tree of Henan");
        divisions::tell(self.channel(OPERATOR)?, rows).await
    }

    /// What a body may do follows from what is registered here.
    pub(in super::super) async fn organisations(&self) -> Result<()> {
        say("\n[3] 登记监管部门 / public bodies, with tier, division, functions and powers");
        let body = |uscc: &str, name: &str, tier: Tier, division: &str| Organisation {
            uscc: uscc.to_owned(),
            name: name.to_owned(),
            tier: tier.into(),
            division: division.to_owned(),
            functions: vec![OrganisationFunction::Comprehensive.into()],
            ..Organisation::default()
        };
        let power = EnforcementPower {
            from_on: "2018-11-01".to_owned(),
            to_on: None,
            legal_basis: "安全生产法；行政处罚法".to_owned(),
        };
        let Cast { province, county, township, .. } = &self.cast;
        let with_power = Organisation {
            enforcement_power: Some(power),
            ..body(county, "中原区应急管理局", Tier::County, PLACE)
        };
        let mut client = OrganisationServiceClient::new(self.channel(OPERATOR)?);
        for organisation in [
            body(province, "省应急管理厅", Tier::Province, "41"),
            with_power,
            body(township, "林山寨街道", Tier::Township, TOWNSHIP),
        ] {
            say(&format!("  {} {}", organisation.uscc, organisation.name));
            let request = RegisterOrganisationRequest {
                command_id: new_id(),
                organisation: Some(organisation),
                ..RegisterOrganisationRequest::default()
            };
            client.register_organisation(request).await?;
        }
        Ok(())
    }

    /// A township proposes, the county confirms.
    pub(in super::super) async fn enterprise(&self) -> Result<Receipt> {
        say(
            "\n[4] 乡镇上报企业，县级确认 / a township proposes an enterprise, the county confirms it",
        );
        let enterprise = Enterprise {
            uscc: self.cast.plant.clone(),
            name: "某化工有限公司".to_owned(),
            kind: EnterpriseKind::Unit.into(),
            division: TOWNSHIP.to_owned(),
            industry: "2614".to_owned(),
            address: "中原区工业路".to_owned(),
        };
        let propose = RegisterEnterpriseRequest {
            command_id: new_id(),
            enterprise: Some(enterprise),
            ..RegisterEnterpriseRequest::default()
        };
        let township = EnterpriseServiceClient::new(self.channel(&self.cast.township)?);
        // the register learns of the township from its own log, a moment after it was registered
        let proposed =
            patiently(async || township.clone().register_enterprise(propose.clone()).await).await?;
        say(&format!("  上报 / proposed  {}", told(proposed.into_inner().receipt.as_ref())));
        let confirm = ConfirmEnterpriseRequest {
            command_id: new_id(),
            enterprise: self.cast.plant.clone(),
            ..ConfirmEnterpriseRequest::default()
        };
        let mut county = EnterpriseServiceClient::new(self.channel(&self.cast.county)?);
        let confirmed = county.confirm_enterprise(confirm.clone()).await?.into_inner().receipt;
        say(&format!("  确认 / confirmed {}", told(confirmed.as_ref())));
        let retried = county.confirm_enterprise(confirm).await?.into_inner().receipt;
        ensure!(confirmed == retried, "a retry got another receipt");
        say("  重发同一命令得到同一回执 / the same command again gets the same receipt");
        confirmed.context("a receipt")
    }
}
