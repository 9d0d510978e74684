use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jiff::ToSpan as _;
use onenet_chassis::{
    day::{self, SystemClock},
    testing::{OPERATOR, elsewhere::Registered, uscc},
};
use onenet_kernel::Clock as _;
use onenet_proto::{
    common::v1::Receipt,
    enterprise::v1::{
        EnforcementPower, Organisation, RegisterDivisionRequest, RegisterOrganisationRequest, Tier,
    },
    exchange::v1::{Agency, GiveGrantRequest, GrantTerms, RegisterAgencyRequest},
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    ask::{Ask, Caller},
    history::Recorder,
    node::Node,
};

/// Supervises the province, and gives grants.
pub(crate) const PROVINCE: u32 = 1;
/// The county's bureau, in whose name everything is asked; it may punish.
pub(crate) const COUNTY: u32 = 2;
/// Whose subscription is watched, and who has a grant that comes and goes.
pub(crate) const AGENCY: u32 = 30;
pub(crate) const CHANGING: u32 = 31;
/// Where everything happens.
pub(crate) const PLACE: &str = "410102";
/// Types that the agency has a grant for.
pub(crate) const GRANTED: [&str; 5] = [
    "onenet.enterprise.v1.EnterpriseRegistered",
    "onenet.enterprise.v1.KeyEnterpriseDesignated",
    "onenet.enforcement.v1.PenaltyTookEffect",
    "onenet.credit.v1.SubjectListed",
    "onenet.credit.v1.SubjectRemoved",
];
/// Types that the other agency has a grant for, while it has one: withdrawals are not among them.
pub(crate) const CHANGING_GRANTED: [&str; 4] = [
    "onenet.hazard.v1.HiddenDangerReported",
    "onenet.hazard.v1.HiddenDangerCorrected",
    "onenet.hazard.v1.RectificationOrdered",
    "onenet.hazard.v1.HiddenDangerOverdue",
];
/// A node on a busy machine may take so long from its start until it knows its first organisations.
const KNOWN_WITHIN: Duration = Duration::from_mins(2);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Divisions, public bodies, agencies and the grant that stays: before any fault. Answers the receipt of the county's
/// bureau.
pub(crate) async fn register(
    node: &Node,
    recorder: &Recorder,
    new_id: &mut impl FnMut() -> Uuid,
) -> Result<Receipt> {
    let operator = node.caller(OPERATOR)?;
    for code in ["41", "4101", PLACE] {
        let Registered::Division(division) = Registered::division(code) else { continue };
        let division = Some(division);
        let ask = RegisterDivisionRequest { division, ..RegisterDivisionRequest::default() };
        ask_for(&operator, recorder, &ask.into(), new_id()).await?;
    }
    let province = Registered::body(&uscc(PROVINCE), Tier::Province, "41");
    ask_for(&operator, recorder, &registration(province), new_id()).await?;
    let power = EnforcementPower {
        from_on: "2018-11-01".to_owned(),
        to_on: None,
        legal_basis: "安全生产法".to_owned(),
    };
    let county = Organisation {
        enforcement_power: Some(power),
        ..Registered::body(&uscc(COUNTY), Tier::County, PLACE)
    };
    let county = ask_for(&operator, recorder, &registration(county), new_id()).await?;
    let province = node.caller(&uscc(PROVINCE))?;
    for agency in [AGENCY, CHANGING] {
        let register = RegisterAgencyRequest {
            agency: Some(Agency {
                uscc: uscc(agency),
                name: "省信用信息共享交换平台".to_owned(),
                division: "41".to_owned(),
                certificate_sha256: vec![node.private.fingerprint(&uscc(agency))?],
            }),
            ..RegisterAgencyRequest::default()
        };
        ask_for(&province, recorder, &register.into(), new_id()).await?;
    }
    let give = GiveGrantRequest {
        agency: uscc(AGENCY),
        terms: Some(terms(&GRANTED)),
        ..GiveGrantRequest::default()
    };
    ask_for(&province, recorder, &give.into(), new_id()).await?;
    Ok(county)
}

fn registration(organisation: Organisation) -> Ask {
    let organisation = Some(organisation);
    RegisterOrganisationRequest { organisation, ..RegisterOrganisationRequest::default() }.into()
}

/// A grant of these types from all of the province.
pub(crate) fn terms(event_types: &[&str]) -> GrantTerms {
    GrantTerms {
        event_types: event_types.iter().map(|&name| name.to_owned()).collect(),
        subtree: "41".to_owned(),
        industries: vec![],
        purpose: "失信联合惩戒".to_owned(),
        legal_basis: "政务数据共享条例".to_owned(),
        from_on: ago(300),
        to_on: None,
    }
}

/// The day so many days ago, in Beijing.
pub(crate) fn ago(days: i32) -> String {
    day::of(SystemClock.now()).saturating_sub(days.days()).to_string()
}

async fn ask_for(caller: &Caller, recorder: &Recorder, ask: &Ask, id: Uuid) -> Result<Receipt> {
    let asking = async || caller.attempt(recorder, ask, id).await;
    patiently("the register's first entries", asking).await
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
