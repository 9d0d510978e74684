-- What readers of logs and topics keep. All of it belongs to the context's own role.

-- A lease: who does a thing that one process at a time should do. Times are the database's.
create table leases (
    name text primary key,
    owner uuid not null,
    epoch bigint not null,
    until timestamptz not null
);

-- How far a follower got in one partition of a source, and who may move it on. `log_id`,
-- `log_epoch` and `position` are those of the last event handled; null before the first.
create table checkpoints (
    follower text not null,
    source text not null,
    partition integer not null,
    owner uuid not null,
    epoch bigint not null,
    until timestamptz not null,
    next_offset bigint not null default 0,
    log_id uuid,
    log_epoch integer,
    position bigint,
    primary key (follower, source, partition)
);

-- The newest event of each stream that a follower of another context's topic has handled: what
-- "at least as fresh as this receipt" waits for.
create table streams_seen (
    follower text not null,
    stream_id text collate "C" not null,
    version bigint not null,
    primary key (follower, stream_id)
);

-- Events that a follower could not handle, and those of the same key that queue behind them.
--   waiting   not yet: tried again at retry_at
--   poisoned  failed for good: somebody has to look (`onenet dlq`)
--   queued    behind another of its key
create table parked (
    follower text not null,
    key text collate "C" not null,
    arrival bigint generated always as identity,
    state text not null check (state in ('waiting', 'poisoned', 'queued')),
    reason text not null,
    attempts integer not null,
    retry_at timestamptz not null,
    parked_at timestamptz not null default clock_timestamp(),
    log_id uuid not null,
    like events,
    primary key (follower, arrival)
);
create index parked_by_key on parked (follower, key, arrival);

-- Reactions that ended in a final no.
create table refusals (
    follower text not null,
    event_id uuid not null,
    event_type text not null,
    subject text not null,
    reason text not null,
    refused_at timestamptz not null default clock_timestamp(),
    primary key (follower, event_id)
);

-- "Look again at this stream then." Armed and disarmed by the context's own events; retry_at is
-- due_at until firing has failed.
create table timers (
    stream_id text collate "C" not null,
    name text not null,
    due_at timestamptz not null,
    armed_by uuid not null,
    correlation_id uuid not null,
    traceparent text not null,
    retry_at timestamptz not null,
    attempts integer not null default 0,
    last_error text,
    primary key (stream_id, name)
);
create index timers_by_retry on timers (retry_at);
