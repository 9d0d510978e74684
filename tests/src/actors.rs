//! What organisations do in journeys, over gRPC, as their own programmes would.
#![expect(clippy::unwrap_used, reason = "a test may end abruptly: that is how it fails")]

use std::{net::SocketAddr, time::Duration};

use onenet_chassis::{
    private::PrivateNode,
    testing::{OPERATOR, elsewhere::Registered, papers, uscc},
};
use onenet_proto::{
    common::v1::Receipt,
    credit::v1::{
        CreditCaseState, DecideListingRequest, GetBlacklistEntryRequest, GetCreditCaseRequest,
        GetPenaltyJudgementRequest, ListOpenRemovalsRequest, ListOpenRemovalsResponse,
        RemoveListingRequest, ServeListingDecisionRequest, ServeListingNoticeRequest,
        blacklist_record::State, blacklist_service_client::BlacklistServiceClient,
        credit_service_client::CreditServiceClient, get_penalty_judgement_response::Judgement,
    },
    enforcement::v1::{
        DecidePenaltyRequest, OpenCaseRequest, ServePenaltyRequest,
        case_service_client::CaseServiceClient,
    },
    enterprise::v1::{
        Enterprise, RegisterDivisionRequest, RegisterEnterpriseRequest,
        RegisterOrganisationRequest, Tier, division_service_client::DivisionServiceClient,
        enterprise_service_client::EnterpriseServiceClient,
        organisation_service_client::OrganisationServiceClient,
    },
    exchange::v1::{
        GiveGrantRequest, ListGrantsRequest, RegisterAgencyRequest,
        exchange_service_client::ExchangeServiceClient,
    },
};
use tonic::{Status, transport::Channel};

/// A node that can be called, however its contexts run.
pub trait Reach {
    /// Its settings and certificates.
    fn node(&self) -> &PrivateNode;
    /// Where a context of it is called.
    fn address(&self, context: &str) -> SocketAddr;

    /// A connection to a context as an organisation.
    fn channel(&self, context: &str, uscc: &str) -> Channel {
        self.node().connect(self.address(context), Some(uscc)).unwrap()
    }
}

/// Comprehensive supervision of the province.
pub const PROVINCE: u32 = 1;
/// The county's bureau, with enforcement power.
pub const COUNTY: u32 = 2;
/// The joint-punishment platform, which has to acknowledge removals on a network.
pub const PLATFORM: u32 = 30;
/// Where everything happens.
pub const PLACE: &str = "410102";

/// Organisations that act on a node.
pub struct Actors<'a>(pub &'a dyn Reach);

impl Actors<'_> {
    fn channel(&self, context: &str, serial: u32) -> Channel {
        self.0.channel(context, &uscc(serial))
    }

    /// Divisions, the province's bureau and the county's; answers the receipt of the last.
    pub async fn register_public_side(&self) -> Receipt {
        let operator = self.0.channel("enterprise", OPERATOR);
        for code in ["41", "4101", PLACE] {
            let Registered::Division(division) = Registered::division(code) else { unreachable!() };
            let request = RegisterDivisionRequest {
                command_id: new_id(),
                division: Some(division),
                ..Default::default()
            };
            let mut divisions = DivisionServiceClient::new(operator.clone());
            divisions.register_division(request).await.unwrap();
        }
        let county = papers::bureau(&uscc(COUNTY), PLACE);
        let mut last = None;
        for body in [Registered::body(&uscc(PROVINCE), Tier::Province, "41"), county] {
            let request = RegisterOrganisationRequest {
                command_id: new_id(),
                organisation: Some(body),
                ..Default::default()
            };
            let mut organisations = OrganisationServiceClient::new(operator.clone());
            let answer = organisations.register_organisation(request).await.unwrap();
            last = answer.into_inner().receipt;
        }
        last.unwrap()
    }

    /// An enterprise of an industry, registered by the county.
    pub async fn register_enterprise(&self, serial: u32, industry: &str) -> Receipt {
        let enterprise = Enterprise {
            division: PLACE.to_owned(),
            industry: industry.to_owned(),
            ..Registered::plant(&uscc(serial))
        };
        let request = RegisterEnterpriseRequest {
            command_id: new_id(),
            enterprise: Some(enterprise),
            ..Default::default()
        };
        let client = EnterpriseServiceClient::new(self.channel("enterprise", COUNTY));
        let answer =
            patiently(async || client.clone().register_enterprise(request.clone()).await).await;
        answer.into_inner().receipt.unwrap()
    }

    /// A penalty for a violation, opened, decided and served; its case and the receipt of its service.
    /// `known` are the receipts of the organ and of the party, which enforcement has to have heard of.
    pub async fn punish(
        &self,
        known: [&Receipt; 2],
        serial: u32,
        violation: &str,
    ) -> (String, Receipt) {
        let mut cases = CaseServiceClient::new(self.channel("enforcement", COUNTY));
        let open = OpenCaseRequest {
            command_id: new_id(),
            fresh_as: known.map(Clone::clone).to_vec(),
            party: uscc(serial),
            filed_on: papers::ago(200),
            cause: "案由".to_owned(),
            ..Default::default()
        };
        let case_id = cases.open_case(open).await.unwrap().into_inner().case_id;
        let decide = DecidePenaltyRequest {
            command_id: new_id(),
            case_id: case_id.clone(),
            penalty: Some(papers::penalty(violation)),
            ..Default::default()
        };
        cases.decide_penalty(decide).await.unwrap();
        let serve = ServePenaltyRequest {
            command_id: new_id(),
            case_id: case_id.clone(),
            served_on: papers::ago(155),
            ..Default::default()
        };
        let served = cases.serve_penalty(serve).await.unwrap().into_inner();
        (case_id, served.receipt.unwrap())
    }

    /// What became of a penalty, once the credit context has seen it.
    pub async fn judgement(&self, case_id: &str, served: &Receipt) -> Judgement {
        let ask = GetPenaltyJudgementRequest {
            fresh_as: vec![served.clone()],
            penalty_case_id: case_id.to_owned(),
        };
        let mut credit = CreditServiceClient::new(self.channel("credit", COUNTY));
        credit.get_penalty_judgement(ask).await.unwrap().into_inner().judgement.unwrap()
    }

    /// From the notice to the service of the decision to list.
    pub async fn list(&self, serial: u32, credit_case_id: &str) -> Receipt {
        let mut credit = CreditServiceClient::new(self.channel("credit", COUNTY));
        let notice = ServeListingNoticeRequest {
            command_id: new_id(),
            subject: uscc(serial),
            credit_case_id: credit_case_id.to_owned(),
            notice: Some(papers::listing_notice()),
            ..Default::default()
        };
        credit.serve_listing_notice(notice).await.unwrap();
        patiently(async || {
            let get = GetCreditCaseRequest {
                credit_case_id: credit_case_id.to_owned(),
                ..Default::default()
            };
            let answer = credit.get_credit_case(get).await?.into_inner();
            let state = answer.credit_case.map(|view| view.state());
            let is_due = state == Some(CreditCaseState::ToBeDecided);
            if is_due { Ok(()) } else { Err(Status::unavailable("the clock has not fired")) }
        })
        .await;
        let decide = DecideListingRequest {
            command_id: new_id(),
            subject: uscc(serial),
            credit_case_id: credit_case_id.to_owned(),
            decision: Some(papers::listing_decision(uscc(PROVINCE))),
            ..Default::default()
        };
        credit.decide_listing(decide).await.unwrap();
        let serve = ServeListingDecisionRequest {
            command_id: new_id(),
            subject: uscc(serial),
            credit_case_id: credit_case_id.to_owned(),
            served_on: papers::ago(95),
            ..Default::default()
        };
        credit.serve_listing_decision(serve).await.unwrap().into_inner().receipt.unwrap()
    }

    /// Ends a listing because its penalty was revoked.
    pub async fn remove(&self, serial: u32, listing_id: &str) -> Receipt {
        let remove = RemoveListingRequest {
            command_id: new_id(),
            subject: uscc(serial),
            listing_id: listing_id.to_owned(),
            removal: Some(papers::removal()),
            ..Default::default()
        };
        let mut credit = CreditServiceClient::new(self.channel("credit", COUNTY));
        credit.remove_listing(remove).await.unwrap().into_inner().receipt.unwrap()
    }

    /// The listings of a subject that are in force after a command.
    pub async fn in_force(&self, serial: u32, after: &Receipt) -> Vec<String> {
        let mut credit = CreditServiceClient::new(self.channel("credit", COUNTY));
        let fresh_as = vec![after.clone()];
        let ask = GetBlacklistEntryRequest { fresh_as, subject: uscc(serial) };
        let record = credit.get_blacklist_entry(ask).await.unwrap().into_inner().record;
        match record.and_then(|record| record.state) {
            Some(State::Entry(entry)) => {
                entry.in_force.into_iter().map(|listing| listing.listing_id).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Removals that the platform has not acknowledged, with what it has.
    pub async fn open_removals(&self, after: &[Receipt]) -> ListOpenRemovalsResponse {
        let ask = ListOpenRemovalsRequest { fresh_as: after.to_vec(), ..Default::default() };
        let mut blacklist = BlacklistServiceClient::new(self.channel("credit", COUNTY));
        blacklist.list_open_removals(ask).await.unwrap().into_inner()
    }

    /// An agency with the certificate that it comes with.
    pub async fn register_agency(&self, serial: u32) -> Receipt {
        let province = ExchangeServiceClient::new(self.channel("exchange", PROVINCE));
        let register = RegisterAgencyRequest {
            command_id: new_id(),
            agency: Some(papers::agency(
                uscc(serial),
                self.0.node().fingerprint(&uscc(serial)).unwrap(),
            )),
            ..Default::default()
        };
        let answer =
            patiently(async || province.clone().register_agency(register.clone()).await).await;
        answer.into_inner().receipt.unwrap()
    }

    /// An agency that may receive these types from everywhere, and can subscribe when this answers.
    pub async fn open_to(&self, serial: u32, event_types: &[&str]) {
        self.register_agency(serial).await;
        let province = ExchangeServiceClient::new(self.channel("exchange", PROVINCE));
        let give = GiveGrantRequest {
            command_id: new_id(),
            agency: uscc(serial),
            terms: Some(papers::grant_terms(event_types)),
            ..Default::default()
        };
        let given = province.clone().give_grant(give).await.unwrap().into_inner().receipt.unwrap();
        let seen = ListGrantsRequest { fresh_as: vec![given], ..Default::default() };
        province.clone().list_grants(seen).await.unwrap();
    }
}

/// A command's id.
#[must_use]
pub fn new_id() -> String {
    onenet_eventstore::testing::new_id().to_string()
}

/// What depends on facts that are on their way to another process: tried for a minute.
pub async fn patiently<T>(mut attempt: impl AsyncFnMut() -> Result<T, Status>) -> T {
    let mut refused = None;
    let trying = async {
        loop {
            match attempt().await {
                Ok(answer) => break answer,
                Err(status) => refused = Some(status),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let tried = tokio::time::timeout(Duration::from_mins(1), trying).await;
    tried.unwrap_or_else(|_| unreachable!("refused for a minute: {refused:?}"))
}
