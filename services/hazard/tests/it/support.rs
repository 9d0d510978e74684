use std::sync::Arc;

use jiff::civil::date;
use onenet_chassis::{
    Role,
    config::Settings,
    private::{PrivateNode, Running},
    run,
    testing::{
        self, TestClock,
        elsewhere::{self, Registered},
        uscc,
    },
};
use onenet_kernel::Clock;
use onenet_proto::{
    common::v1::Receipt,
    enterprise::v1::{Enterprise, EnterpriseKind, Tier},
    hazard::v1::{
        FileMajorHazardRequest, GetMajorHazardRequest, HazardUnit, HazardUnitKind,
        IdentifyMajorHazardRequest, IdentifyMajorHazardResponse, MajorHazardView, OnBehalf,
        Substance, major_hazard_service_client::MajorHazardServiceClient,
    },
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Status, transport::Channel};

/// The county's bureau.
pub(crate) fn county() -> String {
    uscc(1)
}

/// An institution that evaluates and inspects (安全评价、检测检验机构).
pub(crate) const INSTITUTION: u32 = 30;

/// A plant in the county.
pub(crate) fn enterprise() -> String {
    uscc(5)
}

/// A node with hazard running: Henan, Zhengzhou, two of its counties, a township, a bureau and a
/// plant.
pub(crate) struct World {
    pub(crate) node: PrivateNode,
    running: Running,
    folder: tempfile::TempDir,
}

impl World {
    /// Answers calls; what it knows of the register was told to it.
    pub(crate) async fn new() -> Self {
        let world = Self::start(&[Role::Api, Role::Project]).await;
        world.knows(register()).await;
        world
    }

    /// The same, and deadlines come.
    pub(crate) async fn with_clock() -> Self {
        let world = Self::start(&[Role::Api, Role::Project, Role::Clock]).await;
        world.knows(register()).await;
        world
    }

    /// Runs whole, beside a register that says nothing yet.
    pub(crate) async fn whole() -> Self {
        Self::start(&Role::ALL).await
    }

    /// Answers calls by this clock.
    pub(crate) async fn by(clock: Arc<dyn Clock>) -> Self {
        let world = Self::start_by(clock, &[Role::Api, Role::Project]).await;
        world.knows(register()).await;
        world
    }

    async fn start(roles: &[Role]) -> Self {
        Self::start_by(TestClock::at(date(2026, 11, 24)), roles).await
    }

    async fn start_by(clock: Arc<dyn Clock>, roles: &[Role]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = onenet_devservers::shared_postgres().unwrap();
        let kafka = onenet_devservers::shared_kafka().unwrap();
        let node = testing::node(folder.path(), postgres, kafka).await.unwrap();
        let mut contexts = vec![onenet_hazard::context()];
        if roles.contains(&Role::React) {
            contexts.push(elsewhere::silent("enterprise"));
        }
        node.prepare(&contexts).await.unwrap();
        let running = node.start(contexts, roles, clock).await.unwrap();
        Self { node, running, folder }
    }

    /// A process beside it fires deadlines and counts working days by these holiday notices, until the
    /// guard is dropped.
    pub(crate) fn counting_by(&self, notices: &str) -> DropGuard {
        let path = self.folder.path().join("holidays.csv");
        std::fs::write(&path, notices).unwrap();
        let mut settings = Settings::clone(self.node.settings());
        settings.rules.holidays = Some(path);
        let (settings, stop) = (Arc::new(settings), CancellationToken::new());
        let (guard, clock) = (stop.clone().drop_guard(), TestClock::at(date(2026, 11, 24)));
        tokio::spawn(async move {
            let (contexts, clock) = ([onenet_hazard::context()], clock as Arc<dyn Clock>);
            run(&contexts, &settings, &[Role::Clock], None, &clock, &stop).await.unwrap();
        });
        guard
    }

    pub(crate) async fn knows(&self, known: impl IntoIterator<Item = Registered>) {
        elsewhere::know(&self.node, "hazard", known).await.unwrap();
    }

    /// The register says what it knows, on its topic; answers its receipts.
    pub(crate) async fn register_speaks(&self) -> Vec<Receipt> {
        let mut receipts = Vec::new();
        for known in register() {
            let stream = known.stream();
            let said = elsewhere::say(&self.node, "enterprise", &stream, known.event()).await;
            receipts.push(onenet_chassis::receipt_to_wire(&said.unwrap()));
        }
        receipts
    }

    pub(crate) fn hazards(&self, uscc: &str) -> MajorHazardServiceClient<Channel> {
        MajorHazardServiceClient::new(self.connect(uscc))
    }

    pub(crate) fn connect(&self, uscc: &str) -> Channel {
        self.node.connect(self.running.address, Some(uscc)).unwrap()
    }

    /// The plant's own identification of its chlorine tanks.
    pub(crate) async fn identify(&self) -> IdentifyMajorHazardResponse {
        let mut client = self.hazards(&enterprise());
        client.identify_major_hazard(tanks()).await.unwrap().into_inner()
    }

    pub(crate) async fn file(&self, by: &str, hazard_id: &str) -> Result<Receipt, Status> {
        let answer = self.hazards(by).file_major_hazard(filing(hazard_id)).await?;
        Ok(answer.into_inner().receipt.unwrap())
    }

    /// The major hazard as it stands after `receipt`.
    pub(crate) async fn hazard(&self, hazard_id: &str, receipt: Receipt) -> MajorHazardView {
        let (fresh_as, hazard_id) = (vec![receipt], hazard_id.to_owned());
        let request = GetMajorHazardRequest { fresh_as, hazard_id };
        let answer = self.hazards(&county()).get_major_hazard(request).await;
        let answer = answer.unwrap().into_inner();
        assert!(!answer.incomplete);
        answer.hazard.unwrap()
    }
}

pub(crate) fn new_id() -> String {
    onenet_eventstore::testing::new_id().to_string()
}

fn register() -> Vec<Registered> {
    let divisions = ["41", "4101", "410102", "410103", "410102001"].map(Registered::division);
    let county = Registered::body(&county(), Tier::County, "410102");
    let institution = Enterprise { kind: EnterpriseKind::Institution.into(), ..plant(INSTITUTION) };
    let known = [
        Registered::Organisation(county),
        Registered::Enterprise(plant(5)),
        Registered::Enterprise(institution),
    ];
    divisions.into_iter().chain(known).collect()
}

pub(crate) fn plant(serial: u32) -> Enterprise {
    Registered::plant(&uscc(serial))
}

/// Number 12 of Table 1: Q = 5 t, β = 4.
pub(crate) fn chlorine(tonnes: &str) -> Substance {
    Substance {
        table1_no: Some(12),
        name: "氯".to_owned(),
        class_symbols: vec![],
        quantity_t: tonnes.to_owned(),
    }
}

/// 12.5 t of chlorine beside one resident: S = 2.5, R = 10, level three.
pub(crate) fn tanks() -> IdentifyMajorHazardRequest {
    IdentifyMajorHazardRequest {
        command_id: new_id(),
        enterprise: enterprise(),
        unit: Some(HazardUnit {
            name: "液氯储罐区".to_owned(),
            kind: HazardUnitKind::Storage.into(),
        }),
        substances: vec![chlorine("12.5")],
        residents_within_500m: Some(1),
        ..Default::default()
    }
}

pub(crate) fn on_behalf() -> OnBehalf {
    OnBehalf {
        reason: "企业逾期未辨识".to_owned(), record: "检查记录〔2026〕88号".to_owned()
    }
}

pub(crate) fn filing(hazard_id: &str) -> FileMajorHazardRequest {
    FileMajorHazardRequest {
        command_id: new_id(),
        hazard_id: hazard_id.to_owned(),
        filing_number: "BA豫410102〔2026〕001".to_owned(),
        filed_on: "2026-06-15".to_owned(),
        ..Default::default()
    }
}

/// What was refused: the code, the reason without its enum's name, and the field or message.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, String, String) {
    let (code, reason, field) = testing::refusal(&outcome.unwrap_err());
    let reason = reason.split_once("ERROR_REASON_").unwrap().1.to_owned();
    (code, reason, field)
}
