//! Listing facts, what each listing came to, and how far readers have acknowledged: kept from the own
//! log by a follower of its own, so that its rows are as of one position.

mod facts;
mod removals;

use onenet_eventstore::{HandleError, Handler, sqlx, sqlx::PgConnection};
use onenet_kernel::{Aggregate as _, Position, Recorded, WireEvent as _};
use onenet_proto::credit::v1 as proto;
use prost::Message as _;
use uuid::Uuid;

pub(crate) use self::{
    facts::{fact_epoch, facts_of_day, facts_of_range, in_force},
    removals::{RemovalFilter, open_removals, reader_states},
};
use crate::domain::{
    Acknowledgement, DecidedRemoval, DishonestSubjectEvent as Event, Listing, ListingReader,
    ListingReaderEvent, Removal,
};

/// The follower's name; frozen, its checkpoint is kept under it.
pub(crate) const LISTINGS: &str = "listings";

/// Keeps what leaves on the listings topic and what readers say of it.
pub(crate) struct Listings;

impl Handler for Listings {
    fn name(&self) -> &'static str {
        LISTINGS
    }

    async fn handle(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), HandleError> {
        if event.stream.category() == ListingReader::CATEGORY {
            let ListingReaderEvent::ListingsAcknowledged(acknowledgement) =
                ListingReaderEvent::decode(&event.event_type, &event.payload)?;
            return keep_acknowledgement(tx, &acknowledgement).await;
        }
        match Event::decode(&event.event_type, &event.payload)? {
            Event::SubjectListed { listing_id, entry, .. } => {
                keep_fact(tx, event, listing_id, false).await?;
                match entry.in_force.iter().find(|listing| listing.listing_id == listing_id) {
                    Some(listing) => keep_listing(tx, event, listing).await,
                    None => Err(HandleError::Poison("the entry lacks the new listing".to_owned())),
                }
            }
            Event::SubjectRemoved { listing_id, removal, .. } => {
                keep_fact(tx, event, listing_id, true).await?;
                end_listing(tx, listing_id, &removal).await
            }
            Event::CreditCaseOpened { .. }
            | Event::CreditCaseNotOpened { .. }
            | Event::ListingNoticeServed { .. }
            | Event::StatementRecorded { .. }
            | Event::StatementPeriodRescheduled { .. }
            | Event::StatementPeriodEnded { .. }
            | Event::ListingDecided { .. } => Ok(()),
        }
    }
}

async fn keep_fact(
    tx: &mut PgConnection,
    event: &Recorded,
    listing_id: Uuid,
    is_removal: bool,
) -> Result<(), HandleError> {
    sqlx::query(
        "insert into listing_facts (position, epoch, event_id, leaf, recorded_at, subject,
            listing_id, is_removal)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (position) do nothing",
    )
    .bind(bigint(event.position.number))
    .bind(integer(event.position.epoch))
    .bind(event.event_id)
    .bind(event.leaf.as_slice())
    .bind(event.recorded_at.to_datetime())
    .bind(&event.key.subject)
    .bind(listing_id.to_string())
    .bind(is_removal)
    .execute(tx)
    .await?;
    Ok(())
}

async fn keep_listing(
    tx: &mut PgConnection,
    event: &Recorded,
    listing: &Listing,
) -> Result<(), HandleError> {
    sqlx::query(
        "insert into listings (listing_id, subject, listed_on, ends_on, view)
         values ($1, $2, $3::text::date, $4::text::date, $5) on conflict (listing_id) do nothing",
    )
    .bind(listing.listing_id.to_string())
    .bind(&event.key.subject)
    .bind(listing.listed_on.to_string())
    .bind(listing.expires_on.to_string())
    .bind(proto::Listing::from(listing).encode_to_vec())
    .execute(tx)
    .await?;
    Ok(())
}

async fn end_listing(
    tx: &mut PgConnection,
    listing_id: Uuid,
    removal: &Removal,
) -> Result<(), HandleError> {
    let (Removal::Expired { removed_on } | Removal::Decided(DecidedRemoval { removed_on, .. })) =
        removal;
    let ended = sqlx::query(
        "update listings set ends_on = least(ends_on, $2::text::date) where listing_id = $1",
    )
    .bind(listing_id.to_string())
    .bind(removed_on.to_string())
    .execute(tx)
    .await?;
    if ended.rows_affected() == 0 {
        return Err(HandleError::Poison(format!("{listing_id} ends and was never listed")));
    }
    Ok(())
}

async fn keep_acknowledgement(
    tx: &mut PgConnection,
    Acknowledgement { reader, upto, .. }: &Acknowledgement,
) -> Result<(), HandleError> {
    sqlx::query(
        "insert into listing_acknowledgements (reader, log_id, epoch, position)
         values ($1, $2, $3, $4)
         on conflict (reader) do update set epoch = excluded.epoch, position = excluded.position",
    )
    .bind(reader.as_str())
    .bind(upto.log_id)
    .bind(integer(upto.epoch))
    .bind(bigint(upto.number))
    .execute(tx)
    .await?;
    Ok(())
}

/// Numbers of the log fit: they are counted from 1.
fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn integer(epoch: u32) -> i32 {
    i32::try_from(epoch).unwrap_or(i32::MAX)
}

/// A position from its columns.
fn position(log_id: Uuid, epoch: i32, number: i64) -> Position {
    Position { log_id, epoch: epoch.cast_unsigned(), number: number.cast_unsigned() }
}
