//! The language in which every rule of every context is tested: given these events, when this
//! command comes, then these events, or this refusal.

use std::fmt::Debug;

use crate::{Aggregate, WireEvent};

/// Starts a specification with the history that has happened.
#[must_use]
pub fn given<A: Aggregate>(history: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in history {
        state.evolve(&event);
    }
    Given(state)
}

/// A state reached through its history.
pub struct Given<A>(A);

impl<A: Aggregate> Given<A> {
    /// Lets the state decide.
    #[must_use]
    pub fn when(self, command: &A::Command) -> Decided<A> {
        let outcome = self.0.decide(command);
        Decided { state: self.0, outcome }
    }

    /// The folded state itself.
    #[must_use]
    pub fn state(self) -> A {
        self.0
    }
}

/// What came of a command.
pub struct Decided<A: Aggregate> {
    state: A,
    outcome: Result<Vec<A::Event>, A::Rejection>,
}

impl<A: Aggregate> Decided<A>
where
    A::Event: Debug + PartialEq,
    A::Rejection: Debug + PartialEq,
{
    /// Exactly these events happen, and each survives its written form. Goes on with the state after
    /// them.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) -> Given<A> {
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(self.outcome.as_ref(), Ok(&expected));
        let mut state = self.state;
        for event in &expected {
            let read = A::Event::decode(event.event_type(), &event.encode());
            assert_eq!(read.as_ref(), Ok(event), "the written form differs");
            state.evolve(event);
        }
        Given(state)
    }

    /// The command is already fulfilled.
    #[track_caller]
    pub fn then_nothing(self) {
        assert_eq!(self.outcome, Ok(Vec::new()));
    }

    /// The business says no, for this reason.
    #[track_caller]
    pub fn then_rejected(self, expected: &A::Rejection) {
        assert_eq!(self.outcome.as_ref(), Err(expected));
    }

    /// The events, for an assertion of one's own.
    pub fn events(self) -> Result<Vec<A::Event>, A::Rejection> {
        self.outcome
    }
}
