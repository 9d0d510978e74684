use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::civil::{Date, date};
use onenet_chassis::{
    Context, Role,
    config::{RuleSettings, Settings},
    day::SystemClock,
    private::PrivateNode,
    run,
    testing::{
        self, TestClock,
        elsewhere::{self, Registered},
        uscc,
    },
};
use onenet_kernel::{Clock, Key, NewEvent, StreamId};
use onenet_proto::{
    common::v1::{Money, Receipt},
    credit::v1::{
        BlacklistRecord, CreditCaseState, CreditCaseView, GetBlacklistEntryRequest,
        GetCreditCaseRequest, GetPenaltyJudgementRequest, GetPenaltyJudgementResponse,
        ListOpenRemovalsRequest, blacklist_service_client::BlacklistServiceClient,
        credit_service_client::CreditServiceClient, get_penalty_judgement_response::Judgement,
    },
    enforcement::v1::{Party, PartyKind, Penalty, PenaltyKind, PenaltyTookEffect},
    enterprise::v1::Tier,
    exchange::v1::{Agency, AgencyRegistered},
};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Status, transport::Channel};

/// Everything but the clock: deadlines come, and nobody looks.
pub(crate) const WITHOUT_CLOCK: [Role; 4] = [Role::Api, Role::Project, Role::Relay, Role::React];

/// The county's bureau, whose penalties they are.
pub(crate) fn organ() -> String {
    uscc(1)
}

/// The city's bureau.
pub(crate) fn other_organ() -> String {
    uscc(2)
}

/// A plant in the county.
pub(crate) fn subject() -> String {
    uscc(5)
}

/// The joint-punishment platform, a configured reader.
pub(crate) fn platform() -> String {
    uscc(20)
}

/// Another configured reader.
pub(crate) fn other_platform() -> String {
    uscc(21)
}

/// A node with credit running beside an enforcement that says what a test says.
pub(crate) struct World {
    pub(crate) node: PrivateNode,
    address: SocketAddr,
    _stop: DropGuard,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::start(&[&Role::ALL], |_, _| {}).await
    }

    pub(crate) async fn without_clock() -> Self {
        Self::start(&[&WITHOUT_CLOCK], |_, _| {}).await
    }

    /// One process answers calls, another follows: neither knows what the other keeps in memory.
    pub(crate) async fn in_two() -> Self {
        let (answers, follows) = WITHOUT_CLOCK.split_at(2);
        Self::start(&[answers, follows], |_, _| {}).await
    }

    /// Counts working days by these holiday notices.
    pub(crate) async fn with_holidays(notices: &str) -> Self {
        Self::start(&[&Role::ALL], |rules, folder| rules.holidays = Some(written(folder, notices)))
            .await
    }

    /// Without a clock, and with so many working days for a statement.
    pub(crate) async fn with_statement_days(days: u32) -> Self {
        Self::start(&[&WITHOUT_CLOCK], |rules, _| rules.statement_working_days = days).await
    }

    /// A process beside it fires deadlines and counts working days by these holiday notices, until the
    /// guard is dropped.
    pub(crate) fn counting_by(&self, notices: &str, days: u32) -> DropGuard {
        let mut settings = Settings::clone(self.node.settings());
        settings.rules.statement_working_days = days;
        settings.rules.holidays = Some(written(self.folder.path(), notices));
        let (settings, stop) = (Arc::new(settings), CancellationToken::new());
        let (guard, clock) = (stop.clone().drop_guard(), TestClock::at(date(2026, 11, 24)));
        tokio::spawn(async move {
            let (contexts, clock) = ([onenet_credit::context()], clock as Arc<dyn Clock>);
            run(&contexts, &settings, &[Role::Clock], None, &clock, &stop).await.unwrap();
        });
        guard
    }

    /// Without a clock of deadlines, and by this machine's: the log's days are today's.
    pub(crate) async fn today() -> Self {
        Self::start_by(Arc::new(SystemClock), &[&WITHOUT_CLOCK], |_, _| {}).await
    }

    /// Without a clock of deadlines, on another day.
    pub(crate) async fn on(today: Date) -> Self {
        Self::start_by(TestClock::at(today), &[&WITHOUT_CLOCK], |_, _| {}).await
    }

    async fn start(processes: &[&[Role]], settle: impl FnOnce(&mut RuleSettings, &Path)) -> Self {
        Self::start_by(TestClock::at(date(2026, 11, 24)), processes, settle).await
    }

    async fn start_by(
        clock: Arc<dyn Clock>,
        processes: &[&[Role]],
        settle: impl FnOnce(&mut RuleSettings, &Path),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = onenet_devservers::shared_postgres().unwrap();
        let kafka = onenet_devservers::shared_kafka().unwrap();
        let node = testing::node(folder.path(), postgres, kafka).await.unwrap();
        node.prepare(&contexts()).await.unwrap();
        let mut settings = Settings::clone(node.settings());
        settle(&mut settings.rules, folder.path());
        settings.blacklist.readers = vec![platform(), other_platform()];
        let listener = TcpListener::bind(settings.server.listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (settings, stop) = (Arc::new(settings), CancellationToken::new());
        let mut listener = Some(listener);
        for roles in processes {
            let (settings, roles, clock) = (settings.clone(), roles.to_vec(), clock.clone());
            let (stop, listener) = (stop.clone(), listener.take());
            tokio::spawn(async move {
                run(&contexts(), &settings, &roles, listener, &clock, &stop).await.unwrap();
            });
        }
        let world = Self { node, address, _stop: stop.drop_guard(), folder };
        world.knows_the_register().await;
        world
    }

    async fn knows_the_register(&self) {
        let divisions = ["41", "4101", "410102", "410103", "410102001"].map(Registered::division);
        let bodies = [
            Registered::body(&organ(), Tier::County, "410102"),
            Registered::body(&other_organ(), Tier::City, "4101"),
        ];
        let bodies = bodies.map(Registered::Organisation);
        self.knows(divisions.into_iter().chain(bodies)).await;
    }

    pub(crate) async fn knows(&self, known: impl IntoIterator<Item = Registered>) {
        elsewhere::know(&self.node, "credit", known).await.unwrap();
    }

    pub(crate) fn credit(&self, uscc: &str) -> CreditServiceClient<Channel> {
        CreditServiceClient::new(self.node.connect(self.address, Some(uscc)).unwrap())
    }

    pub(crate) fn blacklist(&self, uscc: &str) -> BlacklistServiceClient<Channel> {
        BlacklistServiceClient::new(self.node.connect(self.address, Some(uscc)).unwrap())
    }

    /// Exchange says that an agency is registered with these certificates.
    pub(crate) async fn registers(&self, uscc: &str, certificates: &[String]) -> Receipt {
        let agency = Agency {
            uscc: uscc.to_owned(),
            name: "省信用信息共享交换平台".to_owned(),
            division: "41".to_owned(),
            certificate_sha256: certificates.to_vec(),
        };
        let event = AgencyRegistered { agency: Some(agency), registered_by: organ() };
        self.says_of(uscc, "AgencyRegistered", event.encode_to_vec()).await
    }

    /// The same with the certificate that it comes with, and credit has heard of it.
    pub(crate) async fn knows_agency(&self, uscc: &str) {
        let said = self.registers(uscc, &[self.node.fingerprint(uscc).unwrap()]).await;
        let heard = ListOpenRemovalsRequest { fresh_as: vec![said], ..Default::default() };
        self.blacklist(&organ()).list_open_removals(heard).await.unwrap();
    }

    /// Exchange says something of an agency.
    pub(crate) async fn says_of(&self, agency: &str, name: &str, payload: Vec<u8>) -> Receipt {
        let event = NewEvent {
            event_type: format!("onenet.exchange.v1.{name}").into(),
            payload: payload.into(),
            key: Key {
                subject: agency.to_owned(),
                division: "41".to_owned(),
                industry: String::new(),
            },
        };
        let stream = StreamId::new("agency", agency);
        let said = elsewhere::say(&self.node, "exchange", &stream, event).await.unwrap();
        onenet_chassis::receipt_to_wire(&said)
    }

    /// Enforcement says that a penalty took effect.
    pub(crate) async fn says(&self, effect: &PenaltyTookEffect) -> Receipt {
        let party = effect.party.clone().unwrap();
        let (subject, division, industry) = (party.uscc, party.division, party.industry);
        let event = NewEvent {
            event_type: "onenet.enforcement.v1.PenaltyTookEffect".into(),
            payload: effect.encode_to_vec().into(),
            key: Key { subject, division, industry },
        };
        let stream = StreamId::new("case", &effect.case_id);
        let said = elsewhere::say(&self.node, "enforcement", &stream, event).await.unwrap();
        onenet_chassis::receipt_to_wire(&said)
    }

    /// What becomes of a penalty once credit has heard of it.
    pub(crate) async fn judged(&self, effect: &PenaltyTookEffect) -> Judgement {
        let request = GetPenaltyJudgementRequest {
            fresh_as: vec![self.says(effect).await],
            penalty_case_id: effect.case_id.clone(),
        };
        let answer = self.credit(&other_organ()).get_penalty_judgement(request).await;
        let GetPenaltyJudgementResponse { judgement, incomplete } = answer.unwrap().into_inner();
        assert!(!incomplete);
        judgement.unwrap()
    }

    /// The case that a penalty opens.
    pub(crate) async fn opened(&self, effect: &PenaltyTookEffect) -> String {
        let judgement = self.judged(effect).await;
        let Judgement::CreditCaseId(id) = judgement else { unreachable!("{judgement:?}") };
        id
    }

    pub(crate) async fn case(&self, id: &str, fresh_as: &[Receipt]) -> CreditCaseView {
        let (fresh_as, credit_case_id) = (fresh_as.to_vec(), id.to_owned());
        let request = GetCreditCaseRequest { fresh_as, credit_case_id };
        let answer = self.credit(&other_organ()).get_credit_case(request).await;
        answer.unwrap().into_inner().credit_case.unwrap()
    }

    /// Waits for what the clock does.
    pub(crate) async fn until(&self, id: &str, state: CreditCaseState) -> CreditCaseView {
        self.until_it(id, |view| view.state() == state).await
    }

    /// Waits until the subject's stream is at a version.
    pub(crate) async fn until_version(&self, id: &str, version: u64) -> CreditCaseView {
        self.until_it(id, |view| view.version == version).await
    }

    async fn until_it(
        &self,
        id: &str,
        has_come: impl Fn(&CreditCaseView) -> bool,
    ) -> CreditCaseView {
        for _ in 0..3_000 {
            let view = self.case(id, &[]).await;
            if has_come(&view) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("it did not come: {:?}", self.case(id, &[]).await);
    }

    pub(crate) async fn on_the_list(&self, fresh_as: &[Receipt]) -> BlacklistRecord {
        let fresh_as = fresh_as.to_vec();
        let request = GetBlacklistEntryRequest { fresh_as, subject: subject() };
        let answer = self.credit(&other_organ()).get_blacklist_entry(request).await;
        answer.unwrap().into_inner().record.unwrap()
    }
}

fn written(folder: &Path, notices: &str) -> PathBuf {
    let path = folder.join("holidays.csv");
    std::fs::write(&path, notices).unwrap();
    path
}

fn contexts() -> Vec<Context> {
    let besides = ["enterprise", "enforcement", "exchange"].map(elsewhere::silent);
    besides.into_iter().chain([onenet_credit::context()]).collect()
}

pub(crate) fn new_id() -> String {
    onenet_eventstore::testing::new_id().to_string()
}

/// A penalty of the organ for producing without a licence, in effect from 2 March 2026.
pub(crate) fn effect() -> PenaltyTookEffect {
    PenaltyTookEffect {
        case_id: new_id(),
        organ: organ(),
        party: Some(Party {
            uscc: subject(),
            name: "郑州某化工有限公司".to_owned(),
            kind: PartyKind::Unit.into(),
            division: "410102001".to_owned(),
            industry: "2614".to_owned(),
        }),
        penalty: Some(Penalty {
            document_number: "（郑）应急罚〔2026〕12号".to_owned(),
            decided_on: "2026-02-27".to_owned(),
            violations: vec!["V-UNLICENSED".to_owned()],
            kinds: vec![PenaltyKind::Fine.into()],
            fine: Some(Money { fen: 10_000_000 }),
            fine_multiple: Some("2.5".to_owned()),
            legal_basis: "安全生产法第一百条".to_owned(),
            summary: "未取得危险化学品安全生产许可证擅自生产".to_owned(),
        }),
        effective_on: "2026-03-02".to_owned(),
    }
}

/// The same for another violation, which leads to no listing by itself.
pub(crate) fn effect_of(violation: &str) -> PenaltyTookEffect {
    let effect = effect();
    let penalty = effect
        .penalty
        .clone()
        .map(|penalty| Penalty { violations: vec![violation.to_owned()], ..penalty });
    PenaltyTookEffect { penalty, ..effect }
}

/// What was refused: the code, the reason without its enum's name, and the field or message.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, String, String) {
    let (code, reason, field) = testing::refusal(&outcome.unwrap_err());
    let reason = reason.split_once("ERROR_REASON_").unwrap().1.to_owned();
    (code, reason, field)
}
