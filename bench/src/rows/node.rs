use anyhow::Result;
use onenet_chassis::{
    private::{Brokers, Plan, PrivateNode},
    testing,
};
use onenet_eventstore::{
    Db, PgLog,
    sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection},
};

use super::new_name;
use crate::Bench;

/// A node with a database of its own and without Kafka.
pub(super) fn plan(bench: &Bench) -> Plan {
    let (database, prefix) = (new_name("bench_"), String::new());
    let nowhere = Brokers::Plain(String::new());
    Plan { kafka: None, database, prefix, ..testing::plan(&bench.postgres, nowhere) }
}

/// The log in one of its schemas.
pub(super) async fn log(node: &PrivateNode, schema: &str) -> Result<PgLog> {
    Ok(PgLog::open(Db::connect(&node.settings().database(schema)?).await?).await?)
}

/// The owner of one of its schemas, to fill it.
pub(super) async fn owner(node: &PrivateNode, schema: &str) -> Result<PgConnection> {
    let mut owner = PgConnection::connect(&node.settings().owner_url()?).await?;
    owner.execute(AssertSqlSafe(format!("set search_path = {schema}, pg_temp"))).await?;
    Ok(owner)
}
