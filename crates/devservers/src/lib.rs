//! A private PostgreSQL and a private Apache Kafka on free loopback ports over a data directory, and
//! the certificates of a private node.
//!
//! `onenet up`, the demo, the benchmarks and every test start their servers here, and nowhere else.
//!
//! * [`Postgres::start`] and [`Kafka::start`] answer when the server answers its own protocol. An
//!   open port is not enough: on a port of the ephemeral range a probe can connect to itself.
//! * [`SecuredKafka::start`] is for nodes: TLS with a client's certificate, and access lists that are
//!   exactly the [`Grant`]s it is given. [`Kafka::start`] asks nobody; it is for tests.
//! * The servers are gone when their owner ends, also when it is killed: the kernel signals them
//!   when the thread that started them dies (`setpriv --pdeathsig`), and that thread lives as long
//!   as the owner.
//! * A second start on the same directory recovers what the first one left, on the same port if it
//!   is free.
//! * [`Postgres::standby`] copies a running server and follows it; [`Postgres::commits_wait_for`] makes
//!   the replication synchronous. It is for tests that lose a server.
//! * For root, PostgreSQL runs as an unprivileged user, since it refuses anything else.
//!
//! Tests use [`shared_postgres`] and [`shared_kafka`]: one of each per test run, or per test process
//! where nobody has started them.
//!
//! ```no_run
//! use onenet_devservers::Postgres;
//!
//! let server = Postgres::start(std::path::Path::new("/tmp/ledger"))?;
//! assert!(server.url("postgres").starts_with("postgres://"));
//! # Ok::<(), onenet_devservers::DevServerError>(())
//! ```
#![warn(missing_docs)]

mod acls;
mod error;
mod jars;
mod kafka;
mod pki;
mod ports;
mod postgres;
mod process;
mod secured;
mod server;
mod shared;
mod standby;

pub use acls::{Grant, Operation, Resources};
pub use error::DevServerError;
pub use kafka::Kafka;
pub use pki::{Identity, Pki};
pub use ports::free as free_port;
pub use postgres::{Postgres, PostgresOptions};
pub use secured::SecuredKafka;
pub use shared::{KAFKA_VARIABLE, POSTGRES_VARIABLE, run_beside, shared_kafka, shared_postgres};
