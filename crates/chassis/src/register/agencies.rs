use onenet_eventstore::{HandleError, Handler, sqlx, sqlx::PgConnection};
use onenet_kernel::{Corrupt, Digest, Recorded};
use onenet_proto::exchange::v1::{AgencyCertificatesReplaced, AgencyRegistered};

use super::payload;

/// Keeps agencies and their certificates: a follower of the exchange topic, in contexts that agencies
/// call.
pub struct KeepAgencies;

impl KeepAgencies {
    /// The streams whose receipts it can be waited for.
    pub const CATEGORIES: &'static [&'static str] = &["agency"];
}

impl Handler for KeepAgencies {
    fn name(&self) -> &'static str {
        "agencies"
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        match event.event_type.strip_prefix("onenet.exchange.v1.") {
            Some("AgencyRegistered") => {
                let agency = payload::<AgencyRegistered>(event)?.agency.unwrap_or_default();
                sqlx::query(
                    "insert into known_agencies (uscc, division, certificates) values ($1, $2, $3)
                     on conflict (uscc) do update set division = excluded.division,
                        certificates = excluded.certificates",
                )
                .bind(&agency.uscc)
                .bind(&agency.division)
                .bind(certificates(event, &agency.certificate_sha256)?)
                .execute(tx)
                .await?;
            }
            Some("AgencyCertificatesReplaced") => {
                let replaced: AgencyCertificatesReplaced = payload(event)?;
                let kept =
                    sqlx::query("update known_agencies set certificates = $2 where uscc = $1")
                        .bind(&replaced.agency)
                        .bind(certificates(event, &replaced.certificate_sha256)?)
                        .execute(tx)
                        .await?;
                if kept.rows_affected() == 0 {
                    let reason = "the agency was never registered";
                    return Err(Corrupt::new(&event.event_type, reason).into());
                }
            }
            // what an agency may receive is exchange's alone
            Some("GrantGiven" | "GrantRevoked") => {}
            _ => return Err(Corrupt::unknown_type(&event.event_type).into()),
        }
        Ok(())
    }
}

fn certificates(event: &Recorded, texts: &[String]) -> Result<Vec<Vec<u8>>, Corrupt> {
    let fingerprint = |text: &String| {
        let mut digest = Digest::default();
        hex::decode_to_slice(text, &mut digest)
            .map(|()| digest.to_vec())
            .map_err(|error| Corrupt::new(&event.event_type, error))
    };
    texts.iter().map(fingerprint).collect()
}
