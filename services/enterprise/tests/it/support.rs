use std::sync::Arc;

use jiff::civil::date;
use onenet_chassis::{
    Role,
    private::{PrivateNode, Running},
    testing::{self, OPERATOR, TestClock},
};
use onenet_proto::{
    common::v1::Receipt,
    enterprise::v1::{
        Division, DivisionKind, DivisionLevel, Enterprise, EnterpriseKind, Organisation,
        OrganisationFunction, RegisterDivisionRequest, RegisterEnterpriseRequest,
        RegisterOrganisationRequest, Tier, division_service_client::DivisionServiceClient,
        enterprise_service_client::EnterpriseServiceClient,
        organisation_service_client::OrganisationServiceClient,
    },
};
use tonic::{Status, transport::Channel};

/// A node with the register running: Henan, Zhengzhou, two of its counties, a township.
pub(crate) struct World {
    pub(crate) node: PrivateNode,
    pub(crate) running: Running,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = onenet_devservers::shared_postgres().unwrap();
        let kafka = onenet_devservers::shared_kafka().unwrap();
        let node = testing::node(folder.path(), postgres, kafka).await.unwrap();
        node.prepare(&[onenet_enterprise::context()]).await.unwrap();
        let clock = TestClock::at(date(2026, 11, 24));
        let contexts = vec![onenet_enterprise::context()];
        let running = node
            .start(contexts, &[Role::Api, Role::Project], Arc::clone(&clock) as _)
            .await
            .unwrap();
        let world = Self { node, running, _folder: folder };
        for code in ["41", "4101", "410102", "410103", "410102001", "4190"] {
            world.division(division(code)).await.unwrap();
        }
        world
    }

    pub(crate) fn channel(&self, uscc: Option<&str>) -> Channel {
        self.node.connect(self.running.address, uscc).unwrap()
    }

    pub(crate) fn divisions(&self, uscc: &str) -> DivisionServiceClient<Channel> {
        DivisionServiceClient::new(self.channel(Some(uscc)))
    }

    pub(crate) fn organisations(&self, uscc: &str) -> OrganisationServiceClient<Channel> {
        OrganisationServiceClient::new(self.channel(Some(uscc)))
    }

    pub(crate) fn enterprises(&self, uscc: &str) -> EnterpriseServiceClient<Channel> {
        EnterpriseServiceClient::new(self.channel(Some(uscc)))
    }

    pub(crate) async fn division(&self, division: Division) -> Result<Receipt, Status> {
        let request = RegisterDivisionRequest {
            command_id: new_id(),
            division: Some(division),
            ..Default::default()
        };
        let answer = self.divisions(OPERATOR).register_division(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    /// Registers a body and waits until the register knows it.
    pub(crate) async fn organisation(&self, organisation: Organisation) -> Result<Receipt, Status> {
        let uscc = organisation.uscc.clone();
        let request = RegisterOrganisationRequest {
            command_id: new_id(),
            organisation: Some(organisation),
            ..Default::default()
        };
        let mut client = self.organisations(OPERATOR);
        let receipt = client.register_organisation(request).await?.into_inner().receipt.unwrap();
        let fresh_as = vec![receipt.clone()];
        let request = onenet_proto::enterprise::v1::GetOrganisationRequest { fresh_as, uscc };
        client.get_organisation(request).await?;
        Ok(receipt)
    }

    pub(crate) async fn enterprise(
        &self,
        by: &str,
        enterprise: Enterprise,
    ) -> Result<Receipt, Status> {
        let request = registration(enterprise);
        let answer = self.enterprises(by).register_enterprise(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }
}

pub(crate) fn new_id() -> String {
    onenet_eventstore::testing::new_id().to_string()
}

pub(crate) fn registration(enterprise: Enterprise) -> RegisterEnterpriseRequest {
    RegisterEnterpriseRequest {
        command_id: new_id(),
        enterprise: Some(enterprise),
        ..Default::default()
    }
}

pub(crate) fn division(code: &str) -> Division {
    let parent = match code.len() {
        2 => None,
        4 => Some("41".to_owned()),
        length => Some(code[..if length == 6 { 4 } else { 6 }].to_owned()),
    };
    let level = match code.len() {
        2 => DivisionLevel::Province,
        4 => DivisionLevel::City,
        6 => DivisionLevel::County,
        _ => DivisionLevel::Township,
    };
    let kind = if code == "4190" { DivisionKind::Placeholder } else { DivisionKind::Statutory };
    Division {
        code: code.to_owned(),
        name: format!("区划{code}"),
        level: level.into(),
        jurisdiction_parent: parent.clone(),
        parent,
        kind: kind.into(),
        ..Default::default()
    }
}

pub(crate) fn body(uscc: &str, tier: Tier, division: &str) -> Organisation {
    Organisation {
        uscc: uscc.to_owned(),
        name: "应急管理局".to_owned(),
        tier: tier.into(),
        division: division.to_owned(),
        functions: vec![OrganisationFunction::Comprehensive.into()],
        ..Default::default()
    }
}

pub(crate) fn plant(uscc: &str) -> Enterprise {
    Enterprise {
        uscc: uscc.to_owned(),
        name: "某化工有限公司".to_owned(),
        kind: EnterpriseKind::Unit.into(),
        division: "410102001".to_owned(),
        industry: "2614".to_owned(),
        address: "中原区".to_owned(),
    }
}
