use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use onenet_chassis::{
    Role,
    clock::NodeClock,
    private::PrivateNode,
    testing::{OPERATOR, elsewhere::Registered, uscc},
};
use onenet_eventstore::testing::new_id;
use onenet_proto::enterprise::v1::{
    Enterprise, RegisterDivisionRequest, RegisterEnterpriseRequest, RegisterEnterpriseResponse,
    RegisterOrganisationRequest, Tier, division_service_client::DivisionServiceClient,
    enterprise_service_client::EnterpriseServiceClient,
    organisation_service_client::OrganisationServiceClient,
};
use tonic::transport::Channel;

use super::{echo, node};
use crate::{
    Bar, Bench, Figure,
    contest::{Turn, closed_loop, contest},
};

const CALLERS: usize = 256;
/// Connections that they share, as clients of a province would.
const CONNECTIONS: usize = 8;
const COUNTY: u32 = 1;
const PLACE: &str = "410102";
const KNOWN_WITHIN: Duration = Duration::from_secs(30);

/// Enterprises are registered, each by a call of its own: while the same process keeps the register of what was
/// registered, and while it only answers.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let context = || vec![onenet_enterprise::context()];
    let node = PrivateNode::make(folder.path(), &node::plan(bench)).await?;
    node.prepare(&context()).await?;
    let start = async |roles: &[Role]| node.start(context(), roles, NodeClock::new()).await;
    let keeping = start(&[Role::Api, Role::Project]).await?;
    register_public_side(&node, keeping.address).await?;

    let serial = Arc::new(AtomicU32::new(COUNTY));
    let answer = first(&node, keeping.address, &serial).await?;
    let echo = echo::serve(&node, answer)?;
    let turn = async |address| {
        let (clients, serial) = (clients(&node, address)?, Arc::clone(&serial));
        let call = move |caller: usize| {
            let mut client = clients[caller % CONNECTIONS].clone();
            let request = registration(serial.fetch_add(1, Ordering::Relaxed));
            async move { Ok(client.register_enterprise(request).await.map(drop)?) }
        };
        Turn::of(closed_loop(CALLERS, bench.turn, call)).await
    };
    let against = async |case: String, address| {
        let (ours, theirs) = (async || turn(address).await, async || turn(echo).await);
        contest(bench, case, ("onenet", ours), ("tonic echo", theirs)).await
    };
    let case = format!("{CALLERS} callers on {CONNECTIONS} connections");
    let with_register = against(format!("{case}, the register kept"), keeping.address).await?;
    keeping.stop().await?;
    let answering = start(&[Role::Api]).await?;
    let alone = against(case, answering.address).await?;
    answering.stop().await?;
    Ok(vec![alone.with(Bar::AtLeast(0.3, 0.45)), with_register])
}

type Client = EnterpriseServiceClient<Channel>;

fn clients(node: &PrivateNode, address: SocketAddr) -> Result<Vec<Client>> {
    let connect = |_| Ok(Client::new(node.connect(address, Some(&uscc(COUNTY)))?));
    (0..CONNECTIONS).map(connect).collect()
}

fn registration(serial: u32) -> RegisterEnterpriseRequest {
    let plant = Registered::plant(&uscc(serial));
    let enterprise =
        Enterprise { division: PLACE.to_owned(), industry: "2614".to_owned(), ..plant };
    RegisterEnterpriseRequest {
        command_id: new_id().to_string(),
        enterprise: Some(enterprise),
        ..RegisterEnterpriseRequest::default()
    }
}

async fn register_public_side(node: &PrivateNode, address: SocketAddr) -> Result<()> {
    let operator = node.connect(address, Some(OPERATOR))?;
    let mut divisions = DivisionServiceClient::new(operator.clone());
    for code in ["41", "4101", PLACE] {
        let Registered::Division(division) = Registered::division(code) else { continue };
        let command_id = new_id().to_string();
        let request = RegisterDivisionRequest {
            command_id,
            division: Some(division),
            ..RegisterDivisionRequest::default()
        };
        divisions.register_division(request).await?;
    }
    let request = RegisterOrganisationRequest {
        command_id: new_id().to_string(),
        organisation: Some(Registered::body(&uscc(COUNTY), Tier::County, PLACE)),
        ..RegisterOrganisationRequest::default()
    };
    OrganisationServiceClient::new(operator).register_organisation(request).await?;
    Ok(())
}

/// The first registration that is accepted: the county is known then.
async fn first(
    node: &PrivateNode,
    address: SocketAddr,
    serial: &AtomicU32,
) -> Result<RegisterEnterpriseResponse> {
    let mut client = Client::new(node.connect(address, Some(&uscc(COUNTY)))?);
    let until = Instant::now() + KNOWN_WITHIN;
    loop {
        let request = registration(serial.fetch_add(1, Ordering::Relaxed) + 1);
        match client.register_enterprise(request).await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) if Instant::now() >= until => {
                return Err(status).context("the county is not known yet");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
