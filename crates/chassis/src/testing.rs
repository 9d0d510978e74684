//! What tests of contexts share: a private node on servers they were given, an adjustable clock, and
//! organisations with right check characters.

pub mod elsewhere;
pub mod papers;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::civil::Date;
use onenet_kernel::{Clock, Timestamp};
use onenet_standards::Uscc;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    day,
    private::{Brokers, Plan, PrivateError, PrivateNode},
};

/// The operator of every test's node.
pub const OPERATOR: &str = "11410000000000001X";

/// A clock that tests set.
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Stands at noon in Beijing of `day`.
    #[must_use]
    pub fn at(day: Date) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(noon(day))))
    }

    /// Moves to noon of another day.
    pub fn set(&self, day: Date) {
        self.0.store(noon(day), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

fn noon(on: Date) -> i64 {
    day::start(on).as_micros() + 43_200_000_000
}

/// A code with a right check character; `serial` tells one from another.
#[must_use]
pub fn uscc(serial: u32) -> String {
    Uscc::from_body(&format!("91410100MA{serial:07}"))
        .map(|uscc| uscc.to_string())
        .unwrap_or_default()
}

/// A node in `folder` with a database and topics of its own.
pub async fn node(folder: &Path, postgres: &str, kafka: &str) -> Result<PrivateNode, PrivateError> {
    PrivateNode::make(folder, &plan(postgres, Brokers::Plain(kafka.to_owned()))).await
}

/// How such a node is made.
#[must_use]
pub fn plan(postgres: &str, kafka: Brokers) -> Plan {
    let own = onenet_eventstore::testing::new_id().simple();
    Plan {
        postgres: postgres.to_owned(),
        database: format!("node_{own}"),
        password: "onenet".to_owned(),
        kafka: Some(kafka),
        prefix: format!("t{own}."),
        node: "henan".to_owned(),
        operator: OPERATOR.to_owned(),
        readers: Vec::new(),
        otlp: None,
        metrics: None,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        validity: None,
    }
}

/// What a refused call says: its code, its reason, and the field or else the message.
#[must_use]
pub fn refusal(status: &Status) -> (Code, String, String) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let field = details
        .bad_request()
        .and_then(|bad| bad.field_violations.first())
        .map(|violation| violation.field.clone());
    (status.code(), reason, field.unwrap_or_else(|| status.message().to_owned()))
}
