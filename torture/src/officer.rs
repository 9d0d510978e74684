use std::time::Duration;

use onenet_chassis::testing::{papers, uscc};
use onenet_proto::{
    common::v1::Receipt,
    credit::v1::{
        CreditCaseState, DecideListingRequest, GetBlacklistEntryRequest, GetCreditCaseRequest,
        GetPenaltyJudgementRequest, RemoveListingRequest, ServeListingDecisionRequest,
        ServeListingNoticeRequest, credit_service_client::CreditServiceClient,
        get_penalty_judgement_response::Judgement,
    },
    enforcement::v1::{DecidePenaltyRequest, OpenCaseRequest, ServePenaltyRequest},
};
use tonic::{Code, Status, transport::Channel};

use crate::{
    ask::{answered, timed},
    asker::Asker,
    history::Read,
    load::Plants,
    seen::Context,
    setup::PROVINCE,
};

/// Two that lead to a listing, and one that leads to none.
const VIOLATIONS: [&str; 3] = ["V-UNLICENSED", "V-ACCIDENT-CONCEALED", "V-TRAINING"];
/// Between two subjects of one officer, at most.
const PAUSE: Duration = Duration::from_millis(200);

/// An officer of the county who carries penalties through: to the blacklist, and off it again.
pub(crate) struct Officer {
    asker: Asker,
    plants: Plants,
    /// The receipt of the organ, which every context has to have heard of.
    organ: Receipt,
}

impl Officer {
    pub(crate) fn new(number: u32, asker: Asker, organ: Receipt) -> Self {
        Self { asker, plants: Plants::of(number), organ }
    }

    /// One subject after the other, until it is told to stop.
    pub(crate) async fn run(mut self) {
        while !self.asker.stop.is_cancelled() {
            self.pursue().await;
            self.asker.send_again().await;
            self.asker.pause_at_most(PAUSE).await;
        }
    }

    /// A subject with one penalty or more; what was given up is left as it stands.
    async fn pursue(&mut self) -> Option<()> {
        let (serial, registered) = self.plants.register(&mut self.asker).await;
        let (subject, party) = (uscc(serial), registered?);
        let mut listings = Vec::new();
        for nth in 0..self.asker.chance.i32(1..=3) {
            let violation = *self.asker.chance.choice(&VIOLATIONS)?;
            let served = self.punish(&subject, &party, violation).await?;
            let Some(case_id) = self.judgement(&served).await? else { continue };
            let listed = self.list(&subject, &case_id, nth).await?;
            self.read_back(&subject, &listed).await.ok();
            if self.asker.chance.bool() {
                self.remove(&subject, case_id).await?;
            } else {
                listings.push(case_id);
            }
        }
        for listing_id in listings {
            if self.asker.chance.u8(..4) != 0 {
                self.remove(&subject, listing_id).await?;
            }
        }
        Some(())
    }

    /// Opened, decided and served; the receipt of its service.
    async fn punish(
        &mut self,
        party: &str,
        registered: &Receipt,
        violation: &str,
    ) -> Option<Receipt> {
        let open = OpenCaseRequest {
            fresh_as: vec![self.organ.clone(), registered.clone()],
            party: party.to_owned(),
            filed_on: papers::ago(200),
            cause: "案由".to_owned(),
            ..OpenCaseRequest::default()
        };
        let case_id = key(&self.asker.ask(open).await?);
        let decide = DecidePenaltyRequest {
            case_id: case_id.clone(),
            penalty: Some(papers::penalty(violation)),
            ..DecidePenaltyRequest::default()
        };
        self.asker.ask(decide).await?;
        let served_on = papers::ago(155);
        self.asker.ask(ServePenaltyRequest { case_id, served_on, ..Default::default() }).await
    }

    /// What the credit context made of a penalty: the credit case that it opened, if it did.
    async fn judgement(&self, served: &Receipt) -> Option<Option<String>> {
        loop {
            match self.look_for_judgement(served).await {
                Ok(Some(Judgement::CreditCaseId(case_id))) => return Some(Some(case_id)),
                Ok(Some(Judgement::NotOpened(_))) => return Some(None),
                // nothing where something was due is recorded, and looked at again
                Ok(None) | Err(_) => self.asker.before_again().await?,
            }
        }
    }

    async fn look_for_judgement(&self, served: &Receipt) -> Result<Option<Judgement>, Status> {
        let ask = GetPenaltyJudgementRequest {
            fresh_as: vec![self.organ.clone(), served.clone()],
            penalty_case_id: key(served),
        };
        let judgement = match answered(self.credit()?.get_penalty_judgement(timed(ask))).await {
            Ok(answer) => answer.judgement,
            Err(status) if status.code() == Code::NotFound => None,
            Err(status) => return Err(status),
        };
        let (stream, asked) = (served.stream_id.clone(), served.version);
        let saw = judgement.is_some().then_some(asked);
        self.asker.read(Read { stream, asked, saw });
        Ok(judgement)
    }

    /// From the notice to the service of the decision to list; each listing begins later than the one before.
    async fn list(&mut self, subject: &str, case_id: &str, nth: i32) -> Option<Receipt> {
        let (subject, credit_case_id) = (subject.to_owned(), case_id.to_owned());
        let notice = ServeListingNoticeRequest {
            subject: subject.clone(),
            credit_case_id: credit_case_id.clone(),
            notice: Some(papers::listing_notice()),
            ..ServeListingNoticeRequest::default()
        };
        self.asker.ask(notice).await?;
        while !self.is_due(&credit_case_id).await.unwrap_or(false) {
            self.asker.before_again().await?;
        }
        let decide = DecideListingRequest {
            subject: subject.clone(),
            credit_case_id: credit_case_id.clone(),
            decision: Some(papers::listing_decision(uscc(PROVINCE))),
            ..DecideListingRequest::default()
        };
        self.asker.ask(decide).await?;
        let served_on = papers::ago(95 - 5 * nth);
        let serve = ServeListingDecisionRequest {
            subject,
            credit_case_id,
            served_on,
            ..ServeListingDecisionRequest::default()
        };
        self.asker.ask(serve).await
    }

    async fn remove(&mut self, subject: &str, listing_id: String) -> Option<()> {
        let removed = self.asker.ask(removal(subject, listing_id)).await?;
        self.read_back(subject, &removed).await.ok();
        Some(())
    }

    /// Whether the clock has ended the time for a statement.
    async fn is_due(&self, credit_case_id: &str) -> Result<bool, Status> {
        let credit_case_id = credit_case_id.to_owned();
        let get = timed(GetCreditCaseRequest { credit_case_id, ..Default::default() });
        let answer = answered(self.credit()?.get_credit_case(get)).await?;
        let state = answer.credit_case.map(|view| view.state());
        Ok(state == Some(CreditCaseState::ToBeDecided))
    }

    /// The subject's entry, as fresh as a change of it: made of that change or of a later one.
    async fn read_back(&self, subject: &str, changed: &Receipt) -> Result<(), Status> {
        let (fresh_as, subject) = (vec![changed.clone()], subject.to_owned());
        let get = timed(GetBlacklistEntryRequest { fresh_as, subject });
        let answer = answered(self.credit()?.get_blacklist_entry(get)).await?;
        let number = |position: Option<onenet_proto::common::v1::Position>| {
            position.map(|position| position.number)
        };
        let saw = number(answer.record.and_then(|record| record.position));
        let asked = number(changed.position.clone()).unwrap_or_default();
        let stream = format!("{} (position)", changed.stream_id);
        self.asker.read(Read { stream, asked, saw });
        Ok(())
    }

    fn credit(&self) -> Result<CreditServiceClient<Channel>, Status> {
        Ok(CreditServiceClient::new(self.asker.caller.channel(Context::Credit)?))
    }
}

fn removal(subject: &str, listing_id: String) -> RemoveListingRequest {
    RemoveListingRequest {
        subject: subject.to_owned(),
        listing_id,
        removal: Some(papers::removal()),
        ..RemoveListingRequest::default()
    }
}

/// The key of the stream of a receipt: the id of what the command made.
pub(crate) fn key(receipt: &Receipt) -> String {
    receipt.stream_id.split_once('-').map(|(_, key)| key.to_owned()).unwrap_or_default()
}
