-- What readers of the listings topic are answered from: the facts that left, by their place in the log,
-- what each listing came to, and how far each reader has acknowledged. Kept by the follower `listings`.

create table listing_facts (
    position bigint primary key,
    epoch integer not null,
    event_id uuid not null,
    leaf bytea not null,
    recorded_at timestamptz not null,
    subject text collate "C" not null,
    listing_id text collate "C" not null,
    is_removal boolean not null
);
create index listing_facts_by_day on listing_facts (recorded_at, position);
create index listing_facts_removals on listing_facts (position) where is_removal;

-- Listing, as decided; in force from listed_on up to ends_on: the end of its term, or its removal before.
create table listings (
    listing_id text collate "C" primary key,
    subject text collate "C" not null,
    listed_on date not null,
    ends_on date not null,
    view bytea not null
);
create index listings_by_subject on listings (subject, listed_on, listing_id);

create table listing_acknowledgements (
    reader text collate "C" primary key,
    log_id uuid not null,
    epoch integer not null,
    position bigint not null
);
