//! What a subscriber may have and wants to have, as far as it is known from outside.

use std::collections::BTreeMap;

use onenet_kernel::Timestamp;
use uuid::Uuid;

use crate::seen::{About, Content, Event};

/// When a change of rights is felt: not before the first, by everybody after the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Felt {
    /// When it was asked for.
    pub from: Timestamp,
    /// When every stream has to know it.
    pub until: Timestamp,
}

/// Which events somebody may have or wants: those that each part lets pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Full protobuf names; none: every type.
    pub event_types: Vec<String>,
    /// Of this division and those below it; none: everywhere.
    pub subtree: Option<String>,
    /// Of industries that begin so; none: every industry, and none.
    pub industries: Vec<String>,
    /// About this one (USCC); none: about everybody.
    pub subject: Option<String>,
}

/// A certificate of an agency, while it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Which of the agency's.
    pub number: usize,
    /// Its beginning.
    pub given: Felt,
    /// Its end; none while it is registered.
    pub replaced: Option<Felt>,
}

/// Somebody came with a certificate, and was let in or refused for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knock {
    /// Which of the agency's.
    pub certificate: usize,
    /// It was judged after this,
    pub from: Timestamp,
    /// and before this.
    pub until: Timestamp,
    /// What came of it.
    pub is_let_in: bool,
}

/// A grant, while it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What may be received.
    pub scope: Scope,
    /// Its beginning.
    pub given: Felt,
    /// Its end; none while it is in force.
    pub revoked: Option<Felt>,
}

/// What a subscriber wants, from some sequence on; ended by the next wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What.
    pub scope: Scope,
    /// Deliveries with a higher sequence may follow it.
    pub perhaps_after: u64,
    /// Deliveries with a higher sequence follow it. Where the node said so, the same.
    pub surely_after: u64,
}

/// An event as a subscription was sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// 1, 2, 3 …
    pub sequence: u64,
    /// When it came.
    pub at: Timestamp,
    /// The certificate that its stream was opened with.
    pub certificate: usize,
    /// It holds the reference and the reason alone.
    pub is_reduced: bool,
    /// Whom and where it says that the event is about; what it leaves out is empty.
    pub about: About,
    /// The event.
    pub event: Uuid,
    /// Its bytes.
    pub content: Content,
}

/// A subscription over all its resumptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// What its agency might have, oldest first.
    pub grants: Vec<Grant>,
    /// What it wanted, oldest first.
    pub wishes: Vec<Wish>,
    /// What it might come with, oldest first.
    pub certificates: Vec<Certificate>,
    /// What came of each time that somebody did.
    pub knocks: Vec<Knock>,
    /// What it was sent.
    pub delivered: Vec<Delivered>,
}

/// An event in the order of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// Its id where it comes from.
    pub event: Uuid,
    /// When the feed took it up: nobody was sent it before.
    pub at: Timestamp,
    /// Its bytes.
    pub content: Content,
}

/// What a correction or withdrawal undoes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The events.
    pub corrects: Vec<Uuid>,
    /// Which statement about the danger they made: 0 the report, another number the report on the treatment that has it;
    /// none: all.
    pub statement: Option<u32>,
    /// Its bytes where no grant lets it pass: the reference and the reason.
    pub reduced: Content,
}

/// The order in which subscriptions are served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Every event.
    pub events: Vec<Fed>,
    /// Those of them that undo others.
    pub corrections: BTreeMap<Uuid, Correction>,
    /// When there was nothing more to come.
    pub ended: Timestamp,
}

impl Scope {
    /// Whether an event lies in it. The code of a division begins with that of the one above it.
    pub(crate) fn holds(&self, event: &Event) -> bool {
        let About { subject, division, industry } = &event.about;
        (self.event_types.is_empty()
            || self.event_types.iter().any(|name| **name == *event.event_type))
            && self.subtree.as_ref().is_none_or(|subtree| division.starts_with(subtree))
            && (self.industries.is_empty()
                || self.industries.iter().any(|prefix| industry.starts_with(prefix)))
            && self.subject.as_ref().is_none_or(|wanted| **wanted == **subject)
    }
}

impl Grant {
    /// Whether it lets an event pass that was judged at a time between these, whatever the time.
    pub(crate) fn surely_opens(&self, event: &Event, from: Timestamp, until: Timestamp) -> bool {
        self.scope.holds(event) && surely(self.given, self.revoked, from, until)
    }

    /// Whether there is a time between these at which it may have let an event pass.
    pub(crate) fn perhaps_opens(&self, event: &Event, from: Timestamp, until: Timestamp) -> bool {
        self.scope.holds(event) && perhaps(self.given, self.revoked, from, until)
    }
}

/// Whether it held at each time between these.
fn surely(given: Felt, ended: Option<Felt>, from: Timestamp, until: Timestamp) -> bool {
    given.until <= from && ended.is_none_or(|ended| until < ended.from)
}

/// Whether it may have held at some time between these.
fn perhaps(given: Felt, ended: Option<Felt>, from: Timestamp, until: Timestamp) -> bool {
    given.from <= until && ended.is_none_or(|ended| ended.until >= from)
}

impl Subscription {
    /// Whether somebody with a certificate may be let in that is judged between these times; or be refused.
    pub(crate) fn may_be(
        &self,
        let_in: bool,
        number: usize,
        from: Timestamp,
        until: Timestamp,
    ) -> bool {
        let mut own = self.certificates.iter().filter(|it| it.number == number);
        if let_in {
            own.any(|it| perhaps(it.given, it.replaced, from, until))
        } else {
            !own.any(|it| surely(it.given, it.replaced, from, until))
        }
    }

    /// The wishes that a delivery of this sequence may follow.
    pub(crate) fn wishes_of(&self, sequence: u64) -> impl Iterator<Item = &Wish> {
        self.wishes_where(move |begins, ends| begins < sequence && ends >= sequence)
    }

    /// The wishes by which what lies between this delivery and the next may have been passed over.
    pub(crate) fn wishes_behind(&self, sequence: u64) -> impl Iterator<Item = &Wish> {
        self.wishes_where(move |begins, ends| begins <= sequence && ends >= sequence)
    }

    fn wishes_where(&self, holds: impl Fn(u64, u64) -> bool) -> impl Iterator<Item = &Wish> {
        let ends = self.wishes.iter().skip(1).map(|next| next.surely_after);
        let ends = ends.chain(std::iter::once(u64::MAX));
        let wishes = self.wishes.iter().zip(ends);
        wishes.filter(move |(wish, end)| holds(wish.perhaps_after, *end)).map(|(wish, _)| wish)
    }
}
