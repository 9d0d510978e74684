use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use tokio::time::Instant;

use super::{
    deliver::{ASKED, SUBSCRIBERS, share},
    exchange::Exchange,
    fan_out::{self, FanOut, Subscriber},
};
use crate::{
    Bar, Bench, Figure,
    contest::in_turns,
    latency::{Latencies, schedule},
};

const PER_SECOND: u32 = 100;

/// Events at a steady rate, each from the moment it was meant to be appended at until a subscriber has it.
pub(super) async fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for subscribers in SUBSCRIBERS.map(|usual| bench.at_most(usual)) {
        figures.push(at(bench, subscribers).await?);
    }
    Ok(figures)
}

async fn at(bench: &Bench, subscribers: u64) -> Result<Figure> {
    let exchange = Exchange::make(bench).await?;
    let running = exchange.start().await?;
    exchange.open_to_agency(running.address).await?;
    let feed = exchange.feed().await?;
    let mut ours = exchange.subscribe(running.address, subscribers).await?;
    let fan_out = FanOut::serve(&exchange.node)?;
    let mut theirs = exchange.subscribe(fan_out.address, subscribers).await?;

    // what the first takes is not counted; the other side sends the message it came in
    Exchange::append(&feed).await?;
    let mut messages = fan_out::all(&mut ours, async |mut subscriber: Subscriber| {
        let (_, message) = subscriber.next().await?;
        Ok((subscriber, message))
    })
    .await?;
    let message = messages.pop().context("nobody subscribes")?;
    fan_out.send(&message)?;
    fan_out::read(&mut theirs, 1).await?;

    let (our_turns, their_turns) = in_turns(
        bench,
        async || turn(bench, &mut ours, async || Exchange::append(&feed).await).await,
        async || turn(bench, &mut theirs, async || fan_out.send(&message)).await,
    )
    .await?;
    running.stop().await?;
    let (case, load) = (format!("subscribers: {subscribers}"), format!("{PER_SECOND} events/s"));
    let figure = Figure::slower(case, load, &our_turns, ("fan-out", &their_turns))?;
    let figure = figure.on("p99 of arriving by subscribers", subscribers);
    Ok(if subscribers == ASKED { figure.with(Bar::AtMostTimes(3.0, 1.5)) } else { figure })
}

/// Each event is sent at its time, whether those before it have arrived or not.
async fn turn(
    bench: &Bench,
    subscribers: &mut Vec<Subscriber>,
    send: impl AsyncFn() -> Result<()>,
) -> Result<Latencies> {
    let events = (share(bench.turn).as_millis() * u128::from(PER_SECOND) / 1_000).max(1);
    let times: Arc<[Instant]> = schedule(PER_SECOND, u32::try_from(events)?).collect();
    let sending = try_join_all(times.iter().map(async |at| {
        tokio::time::sleep_until(*at).await;
        send().await
    }));
    let reading = fan_out::all(subscribers, |subscriber| arrivals(subscriber, Arc::clone(&times)));
    let (_, arrived) = tokio::try_join!(sending, reading)?;
    let mut latencies = Latencies::new()?;
    arrived.into_iter().flatten().for_each(|took| latencies.note(took));
    Ok(latencies)
}

async fn arrivals(
    mut subscriber: Subscriber,
    times: Arc<[Instant]>,
) -> Result<(Subscriber, Vec<Duration>)> {
    let mut took = Vec::with_capacity(times.len());
    while took.len() < times.len() {
        // events that were ready together come together
        let (count, _) = subscriber.next().await?;
        for _ in 0..count {
            let at = times.get(took.len()).context("an event that nobody sent")?;
            took.push(at.elapsed());
        }
    }
    Ok((subscriber, took))
}
