use onenet_chassis::{Call, Matter, Refusal, Write};
use onenet_eventstore::wait_until_handled;
use onenet_kernel::{Aggregate as _, Digest, Position, Receipt, StreamId};
use onenet_proto::{common::v1::ErrorReason, credit::v1::CreditErrorReason as Reason};

use super::App;
use crate::{
    domain::{
        AcknowledgeListings, Acknowledgement, FactsDigest, ListingReader,
        ListingReaderRejection as Rejection,
    },
    listings,
};

impl App {
    /// Whether the caller may ask about `matter`. An agency that came with a certificate which is not its
    /// own learns that this is why.
    pub(crate) fn permit_reader(&self, call: &Call, matter: &Matter<'_>) -> Result<(), Refusal> {
        let permitted = self.door.authorise(call, matter, call.today);
        permitted.map_err(|refusal| match &call.caller.agency {
            Some(agency) if !agency.is_certificate_registered => {
                let message = "the certificate is not registered for this agency";
                Refusal::new(Reason::CertificateNotRegistered, message)
                    .with("certificate_sha256", hex::encode(call.caller.certificate_sha256))
            }
            _ => refusal,
        })
    }

    /// Takes a reader's word that it has applied the facts above `after` up to `upto`, if its digest
    /// shows that it holds what the log holds.
    pub(crate) async fn acknowledge(
        &self,
        call: &Write,
        after: u64,
        upto: Position,
        digest: Digest,
    ) -> Result<Receipt, Refusal> {
        self.permit_reader(call, &Matter::default())?;
        let agency = call.caller.agency.as_ref();
        let division = agency.map(|agency| agency.division.clone()).unwrap_or_default();
        self.known_fact(call, upto).await?;
        let held = listings::facts_of_range(self.log.db(), after, upto.number).await?;
        let held = Acknowledgement {
            reader: call.uscc().clone(),
            division,
            after,
            upto,
            facts: FactsDigest::of(&held.facts),
        };
        let stream = StreamId::new(ListingReader::CATEGORY, call.uscc().as_str());
        let command = AcknowledgeListings { held, digest };
        call.execute::<ListingReader>(&self.log, &stream, &command, call.now, "").await
    }

    /// A listing fact stands at this position of this log. A reader of the topic may have it before the
    /// own projection does.
    async fn known_fact(&self, call: &Call, at: Position) -> Result<(), Refusal> {
        let log_id = self.log.log_id();
        if at.log_id != log_id {
            return Err(Refusal::new(Reason::OtherLog, "the position is of another log")
                .with("log_id", log_id));
        }
        let db = self.log.db();
        if at.number <= self.log.head().await?.number {
            let left = call.time_left();
            if !wait_until_handled(db, listings::LISTINGS, at, left).await? {
                let message = "the position has not been read here in time";
                return Err(Refusal::new(ErrorReason::NotFreshInTime, message));
            }
        }
        match listings::fact_epoch(db, at.number).await? {
            Some(epoch) if epoch == at.epoch => Ok(()),
            Some(epoch) => {
                let message = format_args!("the fact at {} is of epoch {epoch}", at.number);
                Err(Refusal::new(Reason::OtherEpoch, message).with("epoch", epoch))
            }
            None => {
                let message = format_args!("no listing fact stands at {}", at.number);
                Err(Refusal::new(Reason::ListingFactUnknown, message))
            }
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotNextRange { acknowledged } => {
                Self::new(Reason::NotNextRange, rejection).with("acknowledged", acknowledged)
            }
            Rejection::DigestDiffers { count } => {
                Self::new(Reason::DigestDiffers, rejection).with("count", count)
            }
        }
    }
}
