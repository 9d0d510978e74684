use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use onenet_chassis::{
    day::{self, SystemClock},
    testing::{OPERATOR, elsewhere::Registered, uscc},
};
use onenet_kernel::Clock as _;
use onenet_proto::{
    enterprise::v1::{RegisterDivisionRequest, RegisterOrganisationRequest, Tier},
    exchange::v1::{
        Agency, GiveGrantRequest, GrantTerms, RegisterAgencyRequest,
        exchange_service_client::ExchangeServiceClient,
    },
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    ask::{Ask, Caller},
    history::Recorder,
    node::Node,
};

/// Supervises the province, and gives grants.
const PROVINCE: u32 = 1;
/// The county's bureau, in whose name everything is asked.
pub(crate) const COUNTY: u32 = 2;
/// Whose subscription is watched.
pub(crate) const AGENCY: u32 = 30;
/// Where everything happens.
pub(crate) const PLACE: &str = "410102";
/// Types that the agency has a grant for.
pub(crate) const GRANTED: [&str; 2] =
    ["onenet.enterprise.v1.EnterpriseRegistered", "onenet.enterprise.v1.KeyEnterpriseDesignated"];
/// A node on a busy machine may take so long from its start until it knows its first organisations.
const KNOWN_WITHIN: Duration = Duration::from_mins(2);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Divisions, public bodies, the agency and its grant: before any fault.
pub(crate) async fn register(
    node: &Node,
    recorder: &Recorder,
    new_id: &mut impl FnMut() -> Uuid,
) -> Result<()> {
    let operator = Caller::new(node.enterprise(OPERATOR)?);
    for code in ["41", "4101", PLACE] {
        let Registered::Division(division) = Registered::division(code) else { continue };
        let division = Some(division);
        let ask = RegisterDivisionRequest { division, ..RegisterDivisionRequest::default() };
        ask_for(&operator, recorder, &Ask::Division(ask), new_id()).await?;
    }
    for (serial, tier, division) in
        [(PROVINCE, Tier::Province, "41"), (COUNTY, Tier::County, PLACE)]
    {
        let organisation = Some(Registered::body(&uscc(serial), tier, division));
        let ask =
            RegisterOrganisationRequest { organisation, ..RegisterOrganisationRequest::default() };
        ask_for(&operator, recorder, &Ask::Organisation(ask), new_id()).await?;
    }
    let register = RegisterAgencyRequest {
        command_id: new_id().to_string(),
        agency: Some(Agency {
            uscc: uscc(AGENCY),
            name: "省信用信息共享交换平台".to_owned(),
            division: "41".to_owned(),
            certificate_sha256: vec![node.private.fingerprint(&uscc(AGENCY))?],
        }),
        ..RegisterAgencyRequest::default()
    };
    let give = GiveGrantRequest {
        command_id: new_id().to_string(),
        agency: uscc(AGENCY),
        terms: Some(GrantTerms {
            event_types: GRANTED.map(str::to_owned).to_vec(),
            subtree: "41".to_owned(),
            industries: vec![],
            purpose: "失信联合惩戒".to_owned(),
            legal_basis: "政务数据共享条例".to_owned(),
            from_on: day::of(SystemClock.now()).to_string(),
            to_on: None,
        }),
        ..GiveGrantRequest::default()
    };
    let exchange = ExchangeServiceClient::new(node.exchange(&uscc(PROVINCE))?);
    let registering = async || exchange.clone().register_agency(register.clone()).await;
    patiently("the exchange registers an agency", registering).await?;
    let giving = async || exchange.clone().give_grant(give.clone()).await;
    patiently("the exchange gives a grant", giving).await.map(drop)
}

async fn ask_for(caller: &Caller, recorder: &Recorder, ask: &Ask, id: Uuid) -> Result<()> {
    let asking = async || caller.attempt(recorder, ask, id).await;
    patiently("the register's first entries", asking).await.map(drop)
}

/// What depends on processes that are still starting, and on facts that are on their way to them.
pub(crate) async fn patiently<T>(
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T, Status>,
) -> Result<T> {
    let until = tokio::time::Instant::now() + KNOWN_WITHIN;
    loop {
        match tokio::time::timeout_at(until, attempt()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(status)) if tokio::time::Instant::now() >= until => {
                return Err(status)
                    .with_context(|| format!("{what} did not come within two minutes"));
            }
            Ok(Err(_)) => tokio::time::sleep(AGAIN_AFTER).await,
            Err(_) => bail!("{what} did not come within two minutes: no answer"),
        }
    }
}
