use super::*;

const OTHER_PENALTY: Uuid = Uuid::from_u128(2);
const OTHER_NAME: &str = "郑州某新材料有限公司";

fn expire_listing(due_at: Timestamp) -> Command {
    Command::ExpireListing { listing_id: case_id(), due_at }
}

fn expired() -> Removal {
    Removal::Expired { removed_on: EXPIRES_ON }
}

/// A second case of the subject, by another name, decided to be listed.
fn second_to_be_listed() -> Vec<Event> {
    let credit_case_id = credit_case_id(OTHER_PENALTY);
    vec![
        Event::CreditCaseOpened {
            credit_case_id,
            subject: Subject { name: OTHER_NAME.to_owned(), ..subject() },
            penalty: PenaltyFacts { case_id: OTHER_PENALTY, ..penalty() },
            rule_set: "MEM-11".to_owned(),
            trigger: "MEM11-B1".to_owned(),
            proposal: None,
        },
        Event::ListingNoticeServed {
            credit_case_id,
            notice: notice(),
            statement_period: obligation(ObligationState::Open),
        },
        Event::ListingDecided { credit_case_id, decision: decision() },
    ]
}

fn serve_second(served_on: Date) -> Command {
    Command::ServeListingDecision {
        credit_case_id: credit_case_id(OTHER_PENALTY),
        organ: organ(),
        served_on,
        rules: rules(),
    }
}

/// The history of a subject with two listings, the second served on a day.
fn both_in_force(served_on: Date) -> Vec<Event> {
    let history = [in_force(), second_to_be_listed()].concat();
    let second = given::<DishonestSubject>(history.clone()).when(&serve_second(served_on));
    [history, second.events().unwrap()].concat()
}

fn entry_after(event: &Event) -> &BlacklistEntry {
    let (Event::SubjectListed { entry, .. } | Event::SubjectRemoved { entry: Some(entry), .. }) =
        event
    else {
        panic!("{event:?} carries no entry");
    };
    entry
}

fn days_in_force(entry: &BlacklistEntry) -> Vec<Date> {
    entry.in_force.iter().map(|listing| listing.listed_on).collect()
}

#[test]
fn the_subject_is_listed_when_the_decision_is_served() {
    given::<DishonestSubject>(to_be_listed()).when(&serve_decision(LISTED_ON)).then([listed()]);
}

#[test]
fn a_decision_is_not_served_before_its_day() {
    given::<DishonestSubject>(to_be_listed())
        .when(&serve_decision(date(2026, 3, 15)))
        .then_rejected(&Rejection::DateTooEarly { earliest: DECIDED_ON });
}

#[test]
fn nothing_is_served_before_the_decision_or_without_a_listing_in_it() {
    given::<DishonestSubject>(noticed())
        .when(&serve_decision(LISTED_ON))
        .then_rejected(&Rejection::NotDecided);
    let history = [noticed(), vec![period_ended(), decided(not_to_list())]].concat();
    given::<DishonestSubject>(history)
        .when(&serve_decision(LISTED_ON))
        .then_rejected(&Rejection::DecidedNotToList);
}

#[test]
fn a_decision_is_served_once() {
    given::<DishonestSubject>(in_force()).when(&serve_decision(LISTED_ON)).then_nothing();
    given::<DishonestSubject>(in_force())
        .when(&serve_decision(date(2026, 3, 21)))
        .then_rejected(&Rejection::AlreadyListed);
    let ended = [in_force(), vec![removed(expired(), ObligationState::Passed)]].concat();
    given::<DishonestSubject>(ended).when(&serve_decision(LISTED_ON)).then_nothing();
}

#[test]
fn a_listing_has_a_term_only_by_a_rule_set_that_is_executed_here() {
    let rule_set = "AZ2017-49".to_owned();
    let opened = Event::CreditCaseOpened {
        credit_case_id: case_id(),
        subject: subject(),
        penalty: penalty(),
        rule_set: rule_set.clone(),
        trigger: "AZ49-J02".to_owned(),
        proposal: None,
    };
    given::<DishonestSubject>([opened, notice_served(), decided(decision())])
        .when(&serve_decision(LISTED_ON))
        .then_rejected(&Rejection::NoExecutableRuleSet { rule_set: Some(rule_set) });
}

#[test]
fn the_timer_ends_the_listing_with_its_term() {
    given::<DishonestSubject>(in_force())
        .when(&expire_listing(expiry_due_at()))
        .then([removed(expired(), ObligationState::Passed)]);
}

#[test]
fn a_timer_that_no_longer_fits_ends_nothing() {
    let due_at = expiry_due_at();
    let earlier = Timestamp::from_micros(due_at.as_micros() - 1);
    given::<DishonestSubject>(in_force()).when(&expire_listing(earlier)).then_nothing();
    let removal = Removal::Decided(early_exit(date(2027, 3, 20)));
    let ended = [in_force(), vec![removed(removal, ObligationState::Met)]].concat();
    for history in [vec![], to_be_listed(), ended] {
        given::<DishonestSubject>(history).when(&expire_listing(due_at)).then_nothing();
    }
}

#[test]
fn a_listing_ends_early_after_twelve_months_at_the_earliest() {
    let earliest = date(2027, 3, 20);
    let removal = early_exit(earliest);
    given::<DishonestSubject>(in_force())
        .when(&remove_listing(removal.clone()))
        .then([removed(Removal::Decided(removal), ObligationState::Met)]);
    given::<DishonestSubject>(in_force())
        .when(&remove_listing(early_exit(date(2027, 3, 19))))
        .then_rejected(&Rejection::EarlyExitTooSoon { earliest });
}

#[test]
fn a_revocation_ends_the_listing_on_any_day_of_it() {
    for ground in [RemovalGround::PenaltyRevoked, RemovalGround::DecisionRevoked] {
        for removed_on in [LISTED_ON, date(2029, 3, 19)] {
            let removal = DecidedRemoval { ground, ..early_exit(removed_on) };
            given::<DishonestSubject>(in_force())
                .when(&remove_listing(removal.clone()))
                .then([removed(Removal::Decided(removal), ObligationState::Met)]);
        }
    }
}

#[test]
fn a_listing_does_not_end_before_it_began_or_after_its_term() {
    let on = |removed_on| {
        let ground = RemovalGround::DecisionRevoked;
        remove_listing(DecidedRemoval { ground, ..early_exit(removed_on) })
    };
    given::<DishonestSubject>(in_force())
        .when(&on(date(2026, 3, 19)))
        .then_rejected(&Rejection::DateTooEarly { earliest: LISTED_ON });
    given::<DishonestSubject>(in_force())
        .when(&on(EXPIRES_ON))
        .then_rejected(&Rejection::NotInForce);
}

#[test]
fn a_listing_ends_once() {
    let removal = early_exit(date(2027, 3, 20));
    let ended = removed(Removal::Decided(removal.clone()), ObligationState::Met);
    let history = [in_force(), vec![ended]].concat();
    given::<DishonestSubject>(history.clone())
        .when(&remove_listing(removal.clone()))
        .then_nothing();
    given::<DishonestSubject>(history)
        .when(&remove_listing(early_exit(date(2027, 3, 21))))
        .then_rejected(&Rejection::NotInForce);
    let expired = [in_force(), vec![removed(expired(), ObligationState::Passed)]].concat();
    given::<DishonestSubject>(expired)
        .when(&remove_listing(removal))
        .then_rejected(&Rejection::NotInForce);
}

#[test]
fn what_is_not_listed_is_not_removed() {
    for history in [vec![opened()], to_be_listed()] {
        given::<DishonestSubject>(history)
            .when(&remove_listing(early_exit(date(2027, 3, 20))))
            .then_rejected(&Rejection::NotInForce);
    }
}

#[test]
fn a_second_listing_stands_beside_the_first_oldest_first() {
    for (served_on, days) in [
        (date(2026, 4, 1), [LISTED_ON, date(2026, 4, 1)]),
        (LISTED_ON, [LISTED_ON, LISTED_ON]),
        // recorded later than the first, and yet older
        (date(2026, 3, 18), [date(2026, 3, 18), LISTED_ON]),
    ] {
        let history = both_in_force(served_on);
        let entry = entry_after(history.last().unwrap());
        assert_eq!(days_in_force(entry), days);
        assert_eq!(entry.name, OTHER_NAME, "as of the latest listing");
    }
}

#[test]
fn the_end_of_one_listing_leaves_the_other_in_force() {
    let served_on = date(2026, 4, 1);
    let removal =
        DecidedRemoval { ground: RemovalGround::PenaltyRevoked, ..early_exit(date(2026, 5, 6)) };
    for command in [remove_listing(removal), expire_listing(expiry_due_at())] {
        let history = both_in_force(served_on);
        let first_ends = given::<DishonestSubject>(history.clone()).when(&command);
        let first_ends = first_ends.events().unwrap();
        let entry = entry_after(&first_ends[0]);
        assert_eq!(days_in_force(entry), [served_on]);
        assert_eq!(entry.in_force[0].listing_id, credit_case_id(OTHER_PENALTY));
        assert_eq!(entry.name, OTHER_NAME);

        let second_ends = Command::RemoveListing {
            listing_id: credit_case_id(OTHER_PENALTY),
            organ: organ(),
            removal: early_exit(date(2027, 4, 1)),
            rules: rules(),
        };
        let second_ends =
            given::<DishonestSubject>([history, first_ends].concat()).when(&second_ends);
        let [Event::SubjectRemoved { entry: None, .. }] = second_ends.events().unwrap()[..] else {
            panic!("something is left in force");
        };
    }
}

#[test]
fn a_subject_that_was_removed_can_be_listed_again() {
    let ended = removed(expired(), ObligationState::Passed);
    let history = [in_force(), vec![ended], second_to_be_listed()].concat();
    let events = given::<DishonestSubject>(history).when(&serve_second(date(2030, 1, 7)));
    let events = events.events().unwrap();
    assert_eq!(days_in_force(entry_after(&events[0])), [date(2030, 1, 7)]);
}
