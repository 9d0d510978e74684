//! The list of dishonest subjects, as its log, its topics and its calls show it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use onenet_chassis::{day, instant, testing::uscc};
use onenet_kafka::{Cluster, Topics, read_topic};
use onenet_kernel::Recorded;
use onenet_proto::credit::v1::{
    BlacklistEntry, BlacklistRecord, CheckSubjectsRequest, GetBlacklistEntryRequest,
    ListOpenRemovalsRequest, Listing, ListingDecided, ListingsAcknowledged, Measure, RemovalReason,
    SubjectListed, SubjectRemoved, blacklist_record::State,
    blacklist_service_client::BlacklistServiceClient, credit_service_client::CreditServiceClient,
    subject_result::Result as Answer,
};
use prost::Message as _;
use uuid::Uuid;

use super::views::{every_page, fresh_as};
use crate::{
    ask::timed,
    blacklist::{Blacklist, Change, FACTS, Fact, InForce, Record},
    names::Names,
    node::Node,
    reconciled::{Acknowledged, Count, Line},
    seen::{Content, Context},
    setup::{COUNTY, patiently},
};

/// What an event of a log says of the list, if it says anything.
pub(super) fn note(list: &mut Blacklist, event: &Recorded) -> Result<()> {
    let payload = event.payload.clone();
    let (subject, change, entry) = match event.event_type.as_str() {
        "onenet.credit.v1.ListingDecided" => {
            let decided = ListingDecided::decode(payload)?;
            let measures = decided.decision.unwrap_or_default().measures;
            list.decided.insert(decided.credit_case_id.parse()?, content(&measures));
            return Ok(());
        }
        "onenet.credit.v1.ListingsAcknowledged" => {
            let said = ListingsAcknowledged::decode(payload)?;
            list.acknowledged.push(Acknowledged {
                event: event.event_id,
                reader: said.reader,
                after: said.after,
                upto: said.upto.unwrap_or_default().number,
                count: Count { count: said.count, digest: said.digest },
            });
            return Ok(());
        }
        name if name == FACTS[0] => {
            let listed = SubjectListed::decode(payload)?;
            let end = listed.expiry.and_then(|expiry| expiry.due_at).context("no term")?;
            list.terms.insert(listed.listing_id.parse()?, instant(&end));
            (listed.subject, Change::Listed(listed.listing_id.parse()?), listed.entry)
        }
        name if name == FACTS[1] => {
            let removed = SubjectRemoved::decode(payload)?;
            if removed.removal.as_ref().is_some_and(|it| it.reason() == RemovalReason::Expired) {
                list.expired.insert(removed.listing_id.parse()?, event.recorded_at);
            }
            (removed.subject, Change::Removed(removed.listing_id.parse()?), removed.entry)
        }
        _ => return Ok(()),
    };
    let recorded_on = day::of(event.recorded_at).to_string();
    let (line, in_force) = (line(event), of_entry(entry)?);
    list.facts.push(Fact { line, recorded_on, subject, change, in_force });
    Ok(())
}

/// What both sides compare of a fact.
pub(crate) fn line(fact: &Recorded) -> Line {
    Line { position: fact.position.number, event: fact.event_id, leaf: fact.leaf }
}

/// What stands on the blacklist topic, which is as small as the list.
pub(super) async fn records(
    list: &mut Blacklist,
    cluster: &Cluster,
    topics: &Topics,
) -> Result<()> {
    for record in read_topic(cluster, &topics.beside("blacklist")).await? {
        let value = record.value.context("a tombstone, which nothing makes yet")?;
        let shown = BlacklistRecord::decode(value)?;
        ensure!(shown.subject == record.key, "a record of {} is about another", record.key);
        let position = shown.position.clone().unwrap_or_default().number;
        let (subject, in_force) = of_record(shown)?;
        list.records.push(Record { subject, position, in_force });
    }
    Ok(())
}

/// What is answered of each subject that was ever listed, as fresh as the end of the log.
pub(super) async fn calls(
    list: &mut Blacklist,
    node: &Node,
    newest: Option<&Recorded>,
    names: &Names,
) -> Result<()> {
    let channel = node.caller(&uscc(COUNTY))?.channel(Context::Credit)?;
    let fresh_as = newest.map(fresh_as).unwrap_or_default();
    let subjects: BTreeSet<&String> = list.facts.iter().map(|fact| &fact.subject).collect();
    let subjects: Vec<String> = subjects.into_iter().cloned().collect();
    let credit = CreditServiceClient::new(channel.clone());
    for subject in &subjects {
        let ask = GetBlacklistEntryRequest { fresh_as: fresh_as.clone(), subject: subject.clone() };
        let asking = async || credit.clone().get_blacklist_entry(timed(ask.clone())).await;
        let answer = patiently("an entry of the list", asking).await?.into_inner();
        ensure!(!answer.incomplete, "an event of {subject} is parked");
        list.entries.extend(answer.record.map(of_record).transpose()?);
    }
    let blacklist = BlacklistServiceClient::new(channel);
    for subjects in subjects.chunks(1_000) {
        let (fresh_as, subjects) = (fresh_as.clone(), subjects.to_vec());
        let ask = CheckSubjectsRequest { fresh_as, subjects, ..CheckSubjectsRequest::default() };
        let asking = async || blacklist.clone().check_subjects(timed(ask.clone())).await;
        let answer = patiently("a check of subjects", asking).await?.into_inner();
        for result in answer.results {
            let Some(Answer::Check(check)) = result.result else { bail!("a check was refused") };
            list.checks.insert(check.subject, in_force(check.listings)?);
        }
    }
    let listing = async |page| {
        let ask = ListOpenRemovalsRequest {
            fresh_as: fresh_as.clone(),
            page: Some(page),
            ..ListOpenRemovalsRequest::default()
        };
        let answer = blacklist.clone().list_open_removals(timed(ask)).await?.into_inner();
        let removals = answer.removals.into_iter();
        let removals =
            removals.map(|it| (it.subject, it.position.unwrap_or_default().number)).collect();
        Ok((removals, answer.page))
    };
    let open = every_page(listing, names).await?.into_iter();
    list.open = Some(open.map(|(subject, position)| (position, subject.to_string())).collect());
    Ok(())
}

fn of_record(record: BlacklistRecord) -> Result<(String, Vec<InForce>)> {
    let entry = match record.state.context("a record that says nothing")? {
        State::Entry(entry) => Some(entry),
        State::NothingInForce(_) => None,
    };
    Ok((record.subject, of_entry(entry)?))
}

fn of_entry(entry: Option<BlacklistEntry>) -> Result<Vec<InForce>> {
    in_force(entry.unwrap_or_default().in_force)
}

fn in_force(listings: Vec<Listing>) -> Result<Vec<InForce>> {
    let shown = listings.into_iter().map(|listing| {
        Ok(InForce {
            listing: listing.listing_id.parse::<Uuid>()?,
            content: Content::of(&listing.encode_to_vec()),
            measures: content(&listing.measures),
        })
    });
    shown.collect()
}

fn content(measures: &[Measure]) -> Content {
    let listing = Listing { measures: measures.to_vec(), ..Listing::default() };
    Content::of(&listing.encode_to_vec())
}
