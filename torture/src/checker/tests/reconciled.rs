//! What a reader of the list has acknowledged and compared, with each defect that it may have.

use super::{
    lists::{SUBJECT, credit, day, line, planted_list},
    *,
};
use crate::{Acknowledged, Claim, Compared, Count, Open, Reconciled, Refused};

fn count(positions: &[u64]) -> Count {
    let lines: Vec<_> = positions.iter().map(|&position| line(position)).collect();
    Count::of(lines.iter())
}

fn acknowledged(event: u64, after: u64, upto: u64) -> Acknowledged {
    let (event, reader, count) = (credit(event), "r".to_owned(), count(&[upto]));
    Acknowledged { event, reader, after, upto, count }
}

fn claim(after: u64, upto: u64, held: &[u64]) -> Claim {
    Claim { after, upto, digest: count(held).digest, refused: None }
}

fn refused(claim: Claim, reason: &str, acknowledged: Option<u64>) -> Claim {
    let reason = format!("CREDIT_ERROR_REASON_{reason}");
    Claim { refused: Some(Refused { reason, acknowledged }), ..claim }
}

fn compared(asked: Compared, range: (u64, u64), facts: &[u64], known_at: u64) -> Reconciled {
    Reconciled { asked, fresh_as: 3, range, count: count(facts), known_at }
}

/// The facts are at 2, 3 and 4, of which the last is a removal; the first two are acknowledged one by one. The reader
/// was refused where it had missed one, and where a command that it had given up had moved it on.
pub(super) fn reconcile(history: &mut History, list: &mut blacklist::Blacklist) {
    list.acknowledged = vec![acknowledged(5, 0, 2), acknowledged(6, 2, 3)];
    list.open = Some(vec![(4, SUBJECT.to_owned())]);
    history.claims = vec![
        claim(0, 2, &[2]),
        refused(claim(2, 3, &[]), "DIGEST_DIFFERS", None),
        refused(claim(0, 3, &[2, 3]), "NOT_NEXT_RANGE", Some(2)),
        claim(2, 3, &[3]),
    ];
    history.open = vec![
        Open { after: 2, removals: vec![] },
        Open { after: 3, removals: vec![(4, SUBJECT.to_owned())] },
    ];
    let day = |position| Compared::Day(day(position).to_owned());
    history.reconciled = vec![
        compared(Compared::Range(1, 3), (1, 3), &[2, 3], 6),
        // it knows no more than this, and says so
        compared(Compared::Range(2, 9), (2, 9), &[3], 3),
        compared(day(2), (0, 2), &[2], 6),
        compared(day(3), (2, 3), &[3], 3),
        compared(day(4), (2, 4), &[3, 4], 6),
        compared(Compared::Day("2026-11-30".to_owned()), (4, 4), &[], 6),
    ];
}

fn planted_in(plant: impl FnOnce(&mut History), expected: &[Finding]) {
    planted(|history, _| plant(history), expected);
}

fn misacknowledged(upto: u64) -> Finding {
    Finding::Misacknowledged { upto }
}

#[test]
fn an_acknowledgement_that_goes_back_leaves_a_gap_or_ends_with_no_fact_is_found() {
    let plants: [fn(&mut Acknowledged); 4] = [
        |it| it.after = 0,
        |it| it.after = 3,
        |it| it.count.digest = count(&[2]).digest,
        |it| it.count.count = 2,
    ];
    for plant in plants {
        planted_list(|list| plant(&mut list.acknowledged[1]), &[misacknowledged(3)]);
    }
    let back = |list: &mut blacklist::Blacklist| list.acknowledged.push(acknowledged(7, 3, 2));
    // what is open is told from where the reader then stands
    planted_list(back, &[misacknowledged(2)]);
}

#[test]
fn what_one_reader_has_acknowledged_is_not_anothers() {
    let others = |list: &mut blacklist::Blacklist| {
        list.acknowledged
            .insert(1, Acknowledged { reader: "q".to_owned(), ..acknowledged(6, 0, 2) });
    };
    planted_list(others, &[]);
}

#[test]
fn a_claim_that_was_taken_and_forgotten_or_taken_or_refused_wrongly_is_found() {
    let wrongly = [
        claim(2, 3, &[2]),
        claim(3, 4, &[4]),
        refused(claim(2, 3, &[3]), "DIGEST_DIFFERS", None),
        refused(claim(2, 3, &[3]), "NOT_NEXT_RANGE", Some(2)),
        refused(claim(2, 4, &[3, 4]), "NOT_NEXT_RANGE", Some(4)),
        refused(claim(2, 3, &[3]), "NOT_NEXT_RANGE", None),
        refused(claim(2, 3, &[3]), "LISTING_FACT_UNKNOWN", None),
    ];
    for claim in wrongly {
        let found = misacknowledged(claim.upto);
        planted_in(|history| history.claims.push(claim), &[found]);
    }
}

#[test]
fn an_answer_that_counts_otherwise_than_the_log_or_knows_too_little_is_found() {
    let plants: [fn(&mut Reconciled); 6] = [
        |answer| answer.count.count = 3,
        |answer| answer.count.digest = count(&[2]).digest,
        |answer| answer.count = count(&[2]),
        |answer| answer.range.0 = 0,
        |answer| answer.known_at = 2,
        |answer| answer.fresh_as = 7,
    ];
    for plant in plants {
        let plant = |history: &mut History| plant(&mut history.reconciled[0]);
        let (mut history, _) = right();
        plant(&mut history);
        let Reconciled { range: (after, upto), known_at, .. } = history.reconciled[0];
        planted_in(plant, &[Finding::Miscounted { after, upto, known_at }]);
    }
    let of_day = |history: &mut History| history.reconciled[4].range.0 = 3;
    planted_in(of_day, &[Finding::Miscounted { after: 3, upto: 4, known_at: 6 }]);
}

#[test]
fn an_open_removal_that_is_not_shown_or_is_none_is_found() {
    let misstated = |position| Finding::Misstated {
        reader: Reader::Open,
        subject: SUBJECT.to_owned(),
        position: Some(position),
    };
    let shown = |position| (position, SUBJECT.to_owned());
    planted_list(|list| list.open = Some(vec![]), &[misstated(4)]);
    let no_removal = |list: &mut blacklist::Blacklist| list.open = Some(vec![shown(3), shown(4)]);
    planted_list(no_removal, &[misstated(3)]);
    planted_in(|history| history.open[0].removals = vec![shown(3)], &[misstated(3)]);
    let closed = |history: &mut History| history.open[1].after = 4;
    planted_in(closed, &[misstated(4)]);
    let skipped = |history: &mut History| history.open[1].removals = vec![shown(5)];
    planted_in(skipped, &[misstated(4), misstated(5)]);
    let behind = |history: &mut History| history.open[1].removals = vec![];
    planted_in(behind, &[]);
}
