//! Divisions, industries, subjects and certificates, with each defect of what they open.

use rights::{Scope, Subscription};

use super::{
    subscriptions::{CHANGING, STEADY, about, danger, felt, knock, planted_in},
    *,
};

#[test]
fn what_lies_outside_a_grants_division_or_industry_is_foreign() {
    let foreign = |number| Finding::Foreign { reader: CHANGING, event: danger(number) };
    let outside: [fn(&mut Scope); 3] = [
        |scope| scope.subtree = Some("410103".to_owned()),
        |scope| scope.subtree = Some("410102001".to_owned()),
        |scope| scope.industries = vec!["25".to_owned(), "2615".to_owned()],
    ];
    for narrow in outside {
        let plant = |own: &mut Subscription| narrow(&mut own.grants[0].scope);
        planted_in(Agency::Changing, plant, &[foreign(1), foreign(2), foreign(4)]);
    }
    let around = |own: &mut Subscription| {
        own.grants[0].scope.subtree = Some("4101".to_owned());
        own.grants[0].scope.industries = vec!["25".to_owned(), "26".to_owned()];
    };
    planted_in(Agency::Changing, around, &[]);
}

#[test]
fn what_lies_in_a_filter_and_did_not_come_is_lost_and_what_lies_outside_is_foreign() {
    let lost = [Finding::Lost { reader: CHANGING, event: danger(3) }];
    let foreign = [1, 4].map(|number| Finding::Foreign { reader: CHANGING, event: danger(number) });
    let parts: [fn(&mut Scope, bool); 3] = [
        |scope, fits| scope.subject = Some(if fits { "p" } else { "q" }.to_owned()),
        |scope, fits| scope.subtree = Some(if fits { "4101" } else { "4102" }.to_owned()),
        |scope, fits| scope.industries = vec![if fits { "2614" } else { "06" }.to_owned()],
    ];
    for part in parts {
        for (fits, found) in [(true, &lost[..]), (false, &foreign[..])] {
            let plant = |own: &mut Subscription| {
                own.wishes.truncate(1);
                part(&mut own.wishes[0].scope, fits);
            };
            planted_in(Agency::Changing, plant, found);
        }
    }
}

#[test]
fn a_delivery_that_says_other_than_the_log_whom_and_where_it_is_about_is_altered() {
    let altered = |number| Finding::Altered { reader: CHANGING, event: danger(number) };
    let elsewhere = |own: &mut Subscription| own.delivered[0].about.division = Arc::from("410103");
    planted_in(Agency::Changing, elsewhere, &[altered(1)]);
    let tells = |own: &mut Subscription| own.delivered[3].about.subject = about().subject;
    planted_in(Agency::Changing, tells, &[altered(5)]);
}

#[test]
fn a_certificate_that_is_mistaken_for_registered_or_for_replaced_is_found() {
    let mistaken = |certificate| Finding::Mistaken { reader: STEADY, certificate };
    for (certificate, second, is_let_in) in
        [(0, 44, true), (1, 34, true), (0, 20, false), (1, 50, false)]
    {
        let plant = |own: &mut Subscription| own.knocks.push(knock(certificate, second, is_let_in));
        planted_in(Agency::Steady, plant, &[mistaken(certificate)]);
    }
    for (certificate, second) in [(0, 41), (1, 36)] {
        for is_let_in in [true, false] {
            let spreads =
                |own: &mut Subscription| own.knocks.push(knock(certificate, second, is_let_in));
            planted_in(Agency::Steady, spreads, &[]);
        }
    }
}

#[test]
fn what_is_delivered_to_a_certificate_that_was_replaced_is_found() {
    let mistaken = Finding::Mistaken { reader: STEADY, certificate: 0 };
    let replaced_before = |own: &mut Subscription| {
        own.knocks.clear();
        // the last registration is fed in the third second
        own.certificates[0].replaced = Some(felt(0, 2));
    };
    planted_in(Agency::Steady, replaced_before, &[mistaken]);
    let replaced_meanwhile = |own: &mut Subscription| {
        own.knocks.clear();
        own.certificates[0].replaced = Some(felt(0, 3));
    };
    planted_in(Agency::Steady, replaced_meanwhile, &[]);
}
