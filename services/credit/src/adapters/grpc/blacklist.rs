//! What readers of the blacklist ask and say. Translate in, call the use case, translate out.

use jiff::civil::Date;
use onenet_chassis::{Call, Matter, Refusal, Write, field, position, view::Paging};
use onenet_proto::credit::v1::{
    AckListingsRequest, AckListingsResponse, CheckSubjectRequest, CheckSubjectResponse,
    CheckSubjectsRequest, CheckSubjectsResponse, ListOpenRemovalsRequest, ListOpenRemovalsResponse,
    Listing, ListingRange, MeasureField, ReconcileListingsRequest, ReconcileListingsResponse,
    SubjectCheck, SubjectResult, blacklist_service_server::BlacklistService,
    reconcile_listings_request::Facts, subject_result::Result as Answer,
};
use onenet_standards::Uscc;
use tonic::{Request, Response, Status, async_trait};

use crate::{
    adapters::wire::requests,
    app::App,
    domain::FactsDigest,
    listings::{self, RemovalFilter},
};

/// Most subjects of one request.
const MOST_SUBJECTS: usize = 1_000;

/// The blacklist, as gRPC serves it.
pub(crate) struct Blacklist(pub(crate) App);

#[async_trait]
impl BlacklistService for Blacklist {
    async fn check_subject(
        &self,
        request: Request<CheckSubjectRequest>,
    ) -> Result<Response<CheckSubjectResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: CheckSubjectRequest| {
            let subject = field::uscc("subject", &sent.subject)?;
            let measure = field::filter_choice("measure", sent.measure)?;
            let day = checked_on(&call, sent.checked_on.as_deref())?;
            let matter = Matter { subject: Some(subject.as_str()), ..Matter::default() };
            app.permit_reader(&call, &matter)?;
            let (found, known_at) =
                listings::in_force(app.log.db(), &[subject.as_str()], day).await?;
            let listings = found.into_iter().map(|(_, listing)| listing);
            let check = Some(check(&subject, day, measure, listings));
            let incomplete = app.door.is_incomplete(Some(subject.as_str())).await?;
            Ok(CheckSubjectResponse { check, known_at: Some(position(known_at)), incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn check_subjects(
        &self,
        request: Request<CheckSubjectsRequest>,
    ) -> Result<Response<CheckSubjectsResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: CheckSubjectsRequest| {
            field::list("subjects", &sent.subjects, 1, MOST_SUBJECTS)?;
            let measure = field::filter_choice("measure", sent.measure)?;
            let day = checked_on(&call, sent.checked_on.as_deref())?;
            // whoever asks about others may ask about all
            let is_itself = sent.subjects.iter().all(|subject| subject == call.uscc().as_str());
            let subject = is_itself.then_some(call.uscc().as_str());
            app.permit_reader(&call, &Matter { subject, ..Matter::default() })?;
            let read = |(n, code): (usize, &String)| field::uscc(&field::at("subjects", n), code);
            let subjects: Vec<Result<Uscc, Refusal>> =
                sent.subjects.iter().enumerate().map(read).collect();
            // one that cannot be read is nobody's, and nothing of it reaches the database
            let codes: Vec<&str> =
                subjects.iter().map(|subject| subject.as_ref().map_or("", Uscc::as_str)).collect();
            let (found, known_at) = listings::in_force(app.log.db(), &codes, day).await?;
            let mut listed: Vec<Vec<Listing>> = vec![Vec::new(); subjects.len()];
            for (place, listing) in found {
                if let Some(own) = listed.get_mut(place) {
                    own.push(listing);
                }
            }
            let results = subjects.into_iter().zip(listed).map(|(subject, listings)| {
                let result = match subject {
                    Ok(subject) => Answer::Check(check(&subject, day, measure, listings)),
                    Err(refusal) => Answer::Refusal(refusal.into_item(&call.rpc)),
                };
                SubjectResult { result: Some(result) }
            });
            let (results, known_at) = (results.collect(), Some(position(known_at)));
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(CheckSubjectsResponse { results, known_at, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn ack_listings(
        &self,
        request: Request<AckListingsRequest>,
    ) -> Result<Response<AckListingsResponse>, Status> {
        let app = &self.0;
        let intend = async |call: Write, sent: AckListingsRequest| {
            let upto = requests::position("upto", sent.upto)?;
            requests::above("upto.number", sent.after, upto.number)?;
            let digest = field::sha256("digest", &sent.digest)?;
            app.acknowledge(&call, sent.after, upto, digest).await
        };
        let receipt = Some(app.door.write(request, intend).await?);
        Ok(Response::new(AckListingsResponse { receipt }))
    }

    async fn list_open_removals(
        &self,
        request: Request<ListOpenRemovalsRequest>,
    ) -> Result<Response<ListOpenRemovalsResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ListOpenRemovalsRequest| {
            let paging = Paging::read(sent.page)?;
            let asked = requests::uscc_filter("reader", sent.reader.as_deref())?;
            let subject = requests::uscc_filter("subject", sent.subject.as_deref())?;
            // whoever is no body sees its own alone
            let own = call.caller.office.is_none().then(|| call.uscc().clone());
            let asked = asked.or(own);
            let matter = Matter { subject: asked.as_ref().map(Uscc::as_str), ..Matter::default() };
            app.permit_reader(&call, &matter)?;
            let is_asked = |reader: &&Uscc| asked.as_ref().is_none_or(|asked| asked == *reader);
            let readers: Vec<&str> =
                app.readers.iter().filter(is_asked).map(Uscc::as_str).collect();
            let subject = subject.as_ref().map(Uscc::as_str);
            let filter = RemovalFilter { readers: &readers, subject };
            let (removals, page) = listings::open_removals(app.log.db(), &paging, &filter).await?;
            let readers = listings::reader_states(app.log.db(), &readers).await?;
            let incomplete = app.door.is_incomplete(None).await?;
            Ok(ListOpenRemovalsResponse { removals, page: Some(page), readers, incomplete })
        };
        app.door.read(request, answer).await
    }

    async fn reconcile_listings(
        &self,
        request: Request<ReconcileListingsRequest>,
    ) -> Result<Response<ReconcileListingsResponse>, Status> {
        let app = &self.0;
        let answer = async |call: Call, sent: ReconcileListingsRequest| {
            app.permit_reader(&call, &Matter::default())?;
            let db = app.log.db();
            let held = match field::required("facts", sent.facts)? {
                Facts::RecordedOn(day) => {
                    let day = field::past_day("recorded_on", &day, call.today)?;
                    listings::facts_of_day(db, day).await?
                }
                Facts::Range(ListingRange { after, upto }) => {
                    requests::above("range.upto", after, upto)?;
                    listings::facts_of_range(db, after, upto).await?
                }
            };
            let FactsDigest { count, digest } = FactsDigest::of(&held.facts);
            Ok(ReconcileListingsResponse {
                range: Some(ListingRange { after: held.after, upto: held.upto }),
                count,
                digest: hex::encode(digest),
                known_at: Some(position(held.known_at)),
                incomplete: app.door.is_incomplete(None).await?,
            })
        };
        app.door.read(request, answer).await
    }
}

fn checked_on(call: &Call, sent: Option<&str>) -> Result<Date, Refusal> {
    sent.map_or(Ok(call.today), |day| field::past_day("checked_on", day, call.today))
}

/// A subject's listings, or what of them is about one field.
fn check(
    subject: &Uscc,
    day: Date,
    measure: Option<MeasureField>,
    listings: impl IntoIterator<Item = Listing>,
) -> SubjectCheck {
    let narrowed = |mut listing: Listing| match measure {
        None => Some(listing),
        Some(field) => {
            listing.measures.retain(|measure| measure.field() == field);
            (!listing.measures.is_empty()).then_some(listing)
        }
    };
    let listings: Vec<Listing> = listings.into_iter().filter_map(narrowed).collect();
    SubjectCheck {
        subject: subject.to_string(),
        checked_on: day.to_string(),
        is_in_force: !listings.is_empty(),
        listings,
    }
}
