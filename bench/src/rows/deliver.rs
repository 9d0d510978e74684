use std::time::Duration;

use anyhow::Result;
use onenet_eventstore::{
    PgLog,
    sqlx::{Connection as _, PgConnection},
};

use super::{
    exchange::{Exchange, FILED},
    fan_out::{self, FanOut, Subscriber},
    filled,
};
use crate::{
    Bar, Bench, Figure,
    contest::{Turn, contest},
};

/// The curve, and the point that the bar is set for.
pub(super) const SUBSCRIBERS: [u64; 3] = [1, 200, 1_000];
pub(super) const ASKED: u64 = 200;
/// Deliveries of a burst, for each second of a turn.
const DELIVERIES: f64 = 50_000.0;
/// Events of a burst at most: so many the tail keeps for those who are a little behind.
const MOST: u64 = 30_000;

/// Bursts of events, each from the commit that makes it visible until every subscriber has all of it.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for subscribers in SUBSCRIBERS.map(|usual| bench.at_most(usual)) {
        figures.push(to(bench, subscribers).await?);
    }
    Ok(figures)
}

/// A turn of one of the cases that share a row's time.
pub(super) fn share(turn: Duration) -> Duration {
    turn / 3
}

async fn to(bench: &Bench, subscribers: u64) -> Result<Figure> {
    let turn = share(bench.turn);
    let events = burst(turn, subscribers);
    let exchange = Exchange::make(bench).await?;
    let running = exchange.start().await?;
    exchange.open_to_agency(running.address).await?;
    let (feed, mut owner) = (exchange.feed().await?, exchange.owner().await?);
    let mut ours = exchange.subscribe(running.address, subscribers).await?;

    // what a first burst takes is not counted; the other side sends the messages it came in
    let (mut first, mut frames) = (ours.swap_remove(0), Vec::new());
    let recording = first.record(events, |frame| frames.push(frame));
    tokio::try_join!(appear(&feed, &mut owner, &mut ours, events), recording)?;
    ours.push(first);
    let fan_out = FanOut::serve(&exchange.node)?;
    let mut theirs = exchange.subscribe(fan_out.address, subscribers).await?;
    let mut resend = async || {
        Turn::of(async {
            frames.iter().try_for_each(|frame| fan_out.send(frame))?;
            fan_out::read(&mut theirs, events).await?;
            Ok(events * subscribers)
        })
        .await
    };
    resend().await?;

    let case = format!("subscribers: {subscribers}");
    let ours = async || {
        Turn::repeated(turn, async || appear(&feed, &mut owner, &mut ours, events).await).await
    };
    let theirs = async || Turn::repeated(turn, &mut resend).await;
    let figure = contest(bench, case, ("onenet", ours), ("fan-out", theirs)).await?;
    running.stop().await?;
    let figure = figure.on("deliveries by subscribers", subscribers);
    Ok(if subscribers == ASKED { figure.with(Bar::AtLeast(0.5, 0.8)) } else { figure })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a number of events within bounds"
)]
fn burst(turn: Duration, subscribers: u64) -> u64 {
    ((turn.as_secs_f64() * DELIVERIES / subscribers as f64) as u64).clamp(1, MOST)
}

/// All events of a burst appear at once; the last is appended as followers do it, which wakes the tail.
async fn appear(
    feed: &PgLog,
    owner: &mut PgConnection,
    subscribers: &mut Vec<Subscriber>,
    events: u64,
) -> Result<Turn> {
    let mut rows = owner.begin().await?;
    filled::insert(&mut rows, &FILED, events - 1).await?;
    Turn::of(async {
        rows.commit().await?;
        Exchange::append(feed).await?;
        fan_out::read(subscribers, events).await?;
        Ok(events * subscribers.len() as u64)
    })
    .await
}
