use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Message as _,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext},
};
use uuid::Uuid;

use crate::{
    Record, Topics,
    checkpoint::Published,
    client::{ASK_WITHIN, Cluster, KafkaFault},
};

/// A fresh broker answers "not coordinator" for a while.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long the records of one transaction may take to be acknowledged.
const DELIVER_WITHIN: Duration = Duration::from_secs(30);
const SHORT_POLL: Duration = Duration::from_millis(1);

/// Remembers that a record was not delivered.
#[derive(Clone, Default)]
struct Deliveries(Arc<AtomicBool>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = result {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                topic = message.topic(),
                "not delivered; it will be published again"
            );
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// The one producer of a log. Every call blocks. After an error it is of no use any more: whoever
/// holds it drops it and starts again from the last committed checkpoint.
pub(crate) struct Publisher {
    producer: BaseProducer<Deliveries>,
    failed: Deliveries,
    checkpoint_topic: String,
}

impl Publisher {
    /// Fences every predecessor and aborts what it left open.
    pub(crate) fn open(
        cluster: &Cluster,
        topics: &Topics,
        log_id: Uuid,
    ) -> Result<Self, KafkaFault> {
        let failed = Deliveries::default();
        let producer: BaseProducer<Deliveries> = cluster
            .config()
            .set("transactional.id", topics.transactional_id(log_id))
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "1")
            .set("queue.buffering.max.messages", "200000")
            // the broker answers CONCURRENT_TRANSACTIONS right after a commit; the usual pause
            // before asking again is a hundred times what a transaction takes
            .set("retry.backoff.ms", "1")
            .set("retry.backoff.max.ms", "5")
            .create_with_context(failed.clone())
            .map_err(KafkaFault::while_("creating the relay's producer"))?;
        let start = Instant::now();
        while let Err(error) = producer.init_transactions(ASK_WITHIN) {
            let passing = matches!(&error, KafkaError::Transaction(e) if e.is_retriable());
            if !passing || start.elapsed() > READY_WITHIN {
                return Err(KafkaFault::while_("taking over from the predecessor")(error));
            }
        }
        Ok(Self { producer, failed, checkpoint_topic: topics.checkpoint() })
    }

    /// Publishes records and checkpoint: all become visible, or none.
    pub(crate) fn publish(&self, records: &[Record], reached: Published) -> Result<(), KafkaFault> {
        self.begin()?;
        self.send(records)?;
        self.commit(reached)
    }

    /// Begins a transaction: what is sent until its commit becomes visible as one, or not at all.
    pub(crate) fn begin(&self) -> Result<(), KafkaFault> {
        self.producer.begin_transaction().map_err(KafkaFault::while_("beginning a transaction"))?;
        tracing::debug!("transaction begun");
        Ok(())
    }

    /// Hands records over; they are on their way when it returns.
    pub(crate) fn send(&self, records: &[Record]) -> Result<(), KafkaFault> {
        self.or_abort(records.iter().try_for_each(|record| self.hand_over(record)))
    }

    /// Makes visible what was sent, and with it how far that reaches.
    pub(crate) fn commit(&self, reached: Published) -> Result<(), KafkaFault> {
        self.or_abort(self.acknowledged(reached))?;
        tracing::debug!(%reached, "transaction committed");
        Ok(())
    }

    /// Best effort: whoever comes next aborts what is left open.
    fn or_abort(&self, outcome: Result<(), KafkaFault>) -> Result<(), KafkaFault> {
        if outcome.is_err() {
            self.producer.abort_transaction(ASK_WITHIN).ok();
        }
        outcome
    }

    /// Whether a successor has taken over, so that this producer may never write again.
    pub(crate) fn is_fenced(&self) -> bool {
        let fatal = self.producer.client().fatal_error().map(|(code, _)| code);
        matches!(fatal, Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced))
    }

    fn acknowledged(&self, reached: Published) -> Result<(), KafkaFault> {
        self.hand_over(&Record {
            topic: self.checkpoint_topic.clone(),
            key: reached.position.log_id.to_string(),
            headers: Vec::new(),
            value: Some(reached.to_string().into()),
        })?;
        self.drain()?;
        self.producer
            .commit_transaction(ASK_WITHIN)
            .map_err(KafkaFault::while_("committing a transaction"))
    }

    fn hand_over(&self, record: &Record) -> Result<(), KafkaFault> {
        let headers = record.headers.iter().fold(
            OwnedHeaders::new_with_capacity(record.headers.len()),
            |headers, (key, value)| headers.insert(Header { key, value: Some(value.as_str()) }),
        );
        let mut message =
            BaseRecord::<str, [u8]>::to(&record.topic).key(record.key.as_str()).headers(headers);
        message.payload = record.value.as_deref();
        loop {
            match self.producer.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    message = back;
                    self.producer.poll(SHORT_POLL);
                }
                Err((error, _)) => return Err(KafkaFault::while_("sending a record")(error)),
            }
        }
    }

    /// Waits for every acknowledgement with short polls: the client's own flush sleeps out its
    /// interval.
    fn drain(&self) -> Result<(), KafkaFault> {
        let start = Instant::now();
        while self.producer.in_flight_count() > 0 && start.elapsed() < DELIVER_WITHIN {
            self.producer.poll(SHORT_POLL);
        }
        if self.failed.0.load(Ordering::Relaxed) || self.producer.in_flight_count() > 0 {
            let lost = KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut);
            return Err(KafkaFault::while_("waiting for acknowledgements")(lost));
        }
        Ok(())
    }
}
