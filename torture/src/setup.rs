use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use onenet_chassis::testing::{OPERATOR, elsewhere::Registered, papers, uscc};
use onenet_proto::{
    common::v1::Receipt,
    enterprise::v1::{Organisation, RegisterDivisionRequest, RegisterOrganisationRequest, Tier},
    exchange::v1::{GiveGrantRequest, RegisterAgencyRequest},
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    ask::{Ask, Caller},
    history::Recorder,
    node::Node,
    scopes::GRANTED,
    seen::Agency,
};

/// Supervises the province, and gives grants.
pub(crate) const PROVINCE: u32 = 1;
/// The county's bureau, in whose name nearly everything is asked; it may punish.
pub(crate) const COUNTY: u32 = 2;
/// That of another county, of which there are hidden dangers alone.
pub(crate) const OTHER_COUNTY: u32 = 3;
/// Whose subscription is watched, and who has a grant that comes and goes.
pub(crate) const AGENCY: u32 = 30;
pub(crate) const CHANGING: u32 = 31;
/// Who reads the list, and says what it has applied.
pub(crate) const PLATFORM: u32 = 32;
/// Where nearly everything happens.
pub(crate) const PLACE: &str = "410102";
/// The other county.
pub(crate) const OTHER_PLACE: &str = "410103";
/// Of most plants; and of three that are inspected.
pub(crate) const INDUSTRY: &str = "2614";
pub(crate) const INDUSTRIES: [&str; 3] = [INDUSTRY, "2511", "0610"];
/// A node on a busy machine may take so long from its start until it knows its first organisations.
const KNOWN_WITHIN: Duration = Duration::from_mins(2);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The serial of an agency that subscribes.
pub(crate) const fn serial(agency: Agency) -> u32 {
    match agency {
        Agency::Steady => AGENCY,
        Agency::Changing => CHANGING,
    }
}

/// Receipts of who has to be known before others can be asked.
pub(crate) struct Known {
    /// The county's bureau.
    pub(crate) organ: Receipt,
    /// That of the other county.
    pub(crate) other_organ: Receipt,
    /// Who reads the list.
    pub(crate) platform: Receipt,
}

/// Divisions, public bodies, agencies and the grant that stays: before any fault.
pub(crate) async fn register(
    node: &Node,
    recorder: &Recorder,
    new_id: &mut impl FnMut() -> Uuid,
) -> Result<Known> {
    let operator = node.caller(OPERATOR)?;
    for code in ["41", "4101", PLACE, OTHER_PLACE] {
        let Registered::Division(division) = Registered::division(code) else { continue };
        let division = Some(division);
        let ask = RegisterDivisionRequest { division, ..RegisterDivisionRequest::default() };
        ask_for(&operator, recorder, &ask.into(), new_id()).await?;
    }
    let province = Registered::body(&uscc(PROVINCE), Tier::Province, "41");
    ask_for(&operator, recorder, &registration(province), new_id()).await?;
    let county = papers::bureau(&uscc(COUNTY), PLACE);
    let organ = ask_for(&operator, recorder, &registration(county), new_id()).await?;
    let county = papers::bureau(&uscc(OTHER_COUNTY), OTHER_PLACE);
    let other_organ = ask_for(&operator, recorder, &registration(county), new_id()).await?;
    let province = node.caller(&uscc(PROVINCE))?;
    let agency = |serial| {
        let fingerprint = node.private.fingerprint(&uscc(serial))?;
        let agency = Some(papers::agency(uscc(serial), fingerprint));
        anyhow::Ok(Ask::from(RegisterAgencyRequest { agency, ..RegisterAgencyRequest::default() }))
    };
    for serial in [AGENCY, CHANGING] {
        ask_for(&province, recorder, &agency(serial)?, new_id()).await?;
    }
    let platform = ask_for(&province, recorder, &agency(PLATFORM)?, new_id()).await?;
    let give = GiveGrantRequest {
        agency: uscc(AGENCY),
        terms: Some(papers::grant_terms(&GRANTED)),
        ..GiveGrantRequest::default()
    };
    ask_for(&province, recorder, &give.into(), new_id()).await?;
    Ok(Known { organ, other_organ, platform })
}

fn registration(organisation: Organisation) -> Ask {
    let organisation = Some(organisation);
    RegisterOrganisationRequest { organisation, ..RegisterOrganisationRequest::default() }.into()
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
