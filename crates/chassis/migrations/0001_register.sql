-- What every context knows of divisions, organisations and enterprises, kept from the enterprise
-- topic (by the enterprise context from its own log), and what was refused at its door.
-- `view` is the protobuf message that queries answer; the other columns are what they filter by.

create table divisions (
    code text collate "C" primary key,
    jurisdiction_parent text collate "C",
    is_placeholder boolean not null,
    view bytea not null
);
create index divisions_by_jurisdiction on divisions (jurisdiction_parent);

create table organisations (
    uscc text collate "C" primary key,
    division text collate "C" not null,
    view bytea not null
);

create table enterprises (
    uscc text collate "C" primary key,
    division text collate "C" not null,
    industry text collate "C" not null,
    is_registered boolean not null,
    is_key boolean not null,
    view bytea not null
);

-- Calls that were refused for what the caller is: per caller, reason and minute, with a count.
create table audited_refusals (
    minute timestamptz not null,
    caller text collate "C" not null,
    rpc text collate "C" not null,
    reason text collate "C" not null,
    rule text not null,
    count bigint not null,
    primary key (minute, caller, rpc, reason, rule)
);
