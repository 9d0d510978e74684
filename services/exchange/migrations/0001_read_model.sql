-- Agencies and grants as they stand: `view` is what is answered, the rest is what it is found by.

create table agencies (
    uscc text collate "C" primary key,
    view bytea not null
);

create table grants (
    grant_id uuid primary key,
    agency text collate "C" not null,
    subtree text collate "C" not null,
    is_revoked boolean not null,
    view bytea not null
);
create index grants_by_agency on grants (agency);

-- What was delivered, as intervals of the feed: to whom, under which grants and filter. The upper
-- bound is stored before the events leave, in steps, so that a crash can only overstate. Which events
-- these were follows from feed, grants and filter. Not a read model: it is not rebuilt.
create table deliveries (
    subscription_id uuid not null,
    opened_at timestamptz not null default clock_timestamp(),
    subscriber text collate "C" not null,
    grants uuid[] not null,
    filter bytea not null,
    feed_log uuid not null,
    feed_epoch integer not null,
    from_position bigint not null,
    upto_position bigint not null,
    closed_at timestamptz,
    primary key (subscription_id, opened_at)
);
create index deliveries_by_position on deliveries (feed_log, from_position, upto_position);
