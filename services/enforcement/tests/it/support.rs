use jiff::civil::date;
use onenet_chassis::{
    Role,
    private::{PrivateNode, Running},
    testing::{
        self, TestClock,
        elsewhere::{self, Registered},
        uscc,
    },
};
use onenet_proto::{
    common::v1::{Money, Receipt},
    enforcement::v1::{
        CaseView, DecidePenaltyRequest, GetCaseRequest, OpenCaseRequest, OpenCaseResponse, Penalty,
        PenaltyKind, ServePenaltyRequest, case_service_client::CaseServiceClient,
    },
    enterprise::v1::{EnforcementPower, Organisation, Tier},
};
use tonic::{Code, Status, transport::Channel};

/// The county's bureau, with the power to punish since 2020.
pub(crate) fn organ() -> String {
    uscc(1)
}

/// A plant in the county.
pub(crate) fn party() -> String {
    uscc(5)
}

/// A node with enforcement running: Henan, Zhengzhou, two of its counties, a township, an organ and
/// a plant.
pub(crate) struct World {
    pub(crate) node: PrivateNode,
    running: Running,
    _folder: tempfile::TempDir,
}

impl World {
    /// Answers calls; what it knows of the register was told to it.
    pub(crate) async fn new() -> Self {
        let world = Self::start(false).await;
        elsewhere::know(&world.node, "enforcement", register()).await.unwrap();
        world
    }

    /// Runs whole, beside a register that says nothing yet.
    pub(crate) async fn whole() -> Self {
        Self::start(true).await
    }

    async fn start(is_whole: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = onenet_devservers::shared_postgres().unwrap();
        let kafka = onenet_devservers::shared_kafka().unwrap();
        let node = testing::node(folder.path(), postgres, kafka).await.unwrap();
        let mut contexts = vec![onenet_enforcement::context()];
        let mut roles = vec![Role::Api, Role::Project];
        if is_whole {
            contexts.extend(["enterprise", "hazard"].map(elsewhere::silent));
            roles = Role::ALL.to_vec();
        }
        node.prepare(&contexts).await.unwrap();
        let clock = TestClock::at(date(2026, 11, 24));
        let running = node.start(contexts, &roles, clock).await.unwrap();
        Self { node, running, _folder: folder }
    }

    pub(crate) async fn knows(&self, known: impl IntoIterator<Item = Registered>) {
        elsewhere::know(&self.node, "enforcement", known).await.unwrap();
    }

    pub(crate) fn cases(&self, uscc: &str) -> CaseServiceClient<Channel> {
        CaseServiceClient::new(self.connect(uscc))
    }

    pub(crate) fn connect(&self, uscc: &str) -> Channel {
        self.node.connect(self.running.address, Some(uscc)).unwrap()
    }

    /// A case of the organ against the plant.
    pub(crate) async fn open(&self) -> OpenCaseResponse {
        self.cases(&organ()).open_case(opening()).await.unwrap().into_inner()
    }

    pub(crate) async fn decide(&self, case_id: &str, penalty: Penalty) -> Result<Receipt, Status> {
        let request = deciding(case_id, penalty);
        let answer = self.cases(&organ()).decide_penalty(request).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    pub(crate) async fn serve(&self, case_id: &str, served_on: &str) -> Result<Receipt, Status> {
        let answer = self.cases(&organ()).serve_penalty(serving(case_id, served_on)).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    /// The case as it stands after `receipt`.
    pub(crate) async fn case(&self, case_id: &str, receipt: Receipt) -> CaseView {
        let request = GetCaseRequest { fresh_as: vec![receipt], case_id: case_id.to_owned() };
        let answer = self.cases(&organ()).get_case(request).await.unwrap().into_inner();
        assert!(!answer.incomplete);
        answer.case.unwrap()
    }
}

pub(crate) fn new_id() -> String {
    onenet_eventstore::testing::new_id().to_string()
}

pub(crate) fn register() -> Vec<Registered> {
    let divisions = ["41", "4101", "410102", "410103", "410102001"].map(Registered::division);
    let organ = empowered(Registered::body(&organ(), Tier::County, "410102"), "2020-01-01", None);
    let known = [Registered::Organisation(organ), Registered::Enterprise(plant(5))];
    divisions.into_iter().chain(known).collect()
}

pub(crate) fn plant(serial: u32) -> onenet_proto::enterprise::v1::Enterprise {
    Registered::plant(&uscc(serial))
}

/// A body with the power to punish.
pub(crate) fn empowered(body: Organisation, from_on: &str, to_on: Option<&str>) -> Organisation {
    let power = EnforcementPower {
        from_on: from_on.to_owned(),
        to_on: to_on.map(str::to_owned),
        legal_basis: "安全生产法第一百一十五条".to_owned(),
    };
    Organisation { enforcement_power: Some(power), ..body }
}

pub(crate) fn opening() -> OpenCaseRequest {
    OpenCaseRequest {
        command_id: new_id(),
        party: party(),
        filed_on: "2026-09-01".to_owned(),
        cause: "未取得许可擅自生产".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn deciding(case_id: &str, penalty: Penalty) -> DecidePenaltyRequest {
    DecidePenaltyRequest {
        command_id: new_id(),
        case_id: case_id.to_owned(),
        penalty: Some(penalty),
        ..Default::default()
    }
}

pub(crate) fn serving(case_id: &str, served_on: &str) -> ServePenaltyRequest {
    ServePenaltyRequest {
        command_id: new_id(),
        case_id: case_id.to_owned(),
        served_on: served_on.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn penalty() -> Penalty {
    Penalty {
        document_number: "（郑）应急罚〔2026〕第12号".to_owned(),
        decided_on: "2026-10-09".to_owned(),
        violations: vec!["V-UNLICENSED".to_owned()],
        kinds: vec![PenaltyKind::Fine.into(), PenaltyKind::SuspensionOfBusiness.into()],
        fine: Some(Money { fen: 10_000_000 }),
        fine_multiple: Some("2.5".to_owned()),
        legal_basis: "安全生产法第一百条".to_owned(),
        summary: "未取得危险化学品安全生产许可证擅自生产".to_owned(),
    }
}

/// What was refused: the code, the reason without its enum's name, and the field or message.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, String, String) {
    let (code, reason, field) = testing::refusal(&outcome.unwrap_err());
    let reason = reason.split_once("ERROR_REASON_").unwrap().1.to_owned();
    (code, reason, field)
}
