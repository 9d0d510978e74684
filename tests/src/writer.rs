//! Who fills a log for tests that break something meanwhile.

use onenet_eventstore::{
    PgLog,
    testing::{cause, event},
};
use onenet_kernel::{EventStore as _, StoreError, StreamId, Version};
use uuid::Uuid;

/// Sends command after command, each until it has an answer, and says of each its id and the position
/// in its receipt. Started again under the same name it sends the same commands: those that were
/// carried out are answered with their receipts.
pub async fn append(log: &PgLog, name: &str, say: impl Fn(String)) {
    for n in 0_u64.. {
        let command_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name}/{n}").as_bytes());
        let subject = format!("{name}-{}", n % 7);
        let stream = StreamId::new("account", &subject);
        let payload = command_id.to_string();
        loop {
            let version = Version(n / 7 * 2);
            let events = vec![event(&subject, &payload), event(&subject, &payload)];
            match log.append(&stream, version, &cause(command_id), events).await {
                Ok(appended) => {
                    say(format!("{command_id} {}", appended.receipt.position.number));
                    break;
                }
                Err(StoreError::Fault(_) | StoreError::Overloaded) => {}
                Err(error) => {
                    say(format!("refused {error}"));
                    return;
                }
            }
        }
    }
}
