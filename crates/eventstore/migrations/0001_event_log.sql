-- One event log, in the schema that is first on the search path. Owned by the migrating role; the
-- context's own role reads it and appends through the one function at the end of this file.

-- The identity of the log: one row.
create table log (
    is_only_row boolean primary key default true check (is_only_row),
    log_id uuid not null default gen_random_uuid(),
    epoch integer not null default 1 check (epoch > 0)
);
insert into log default values;

-- Not partitioned: its unique keys must span all of it.
create table events (
    position bigint primary key check (position > 0),
    epoch integer not null,
    stream_id text collate "C" not null,
    version bigint not null check (version > 0),
    event_id uuid not null,
    event_type text collate "C" not null,
    payload bytea not null,
    subject text collate "C" not null,
    division text collate "C" not null,
    industry text collate "C" not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    issuer text collate "C" not null,
    command_id uuid not null,
    ordinal integer not null check (ordinal >= 0),
    digest bytea not null,
    correlation_id uuid not null,
    causation_id uuid,
    actor text collate "C" not null,
    actor_person text,
    rules_version text not null,
    traceparent text not null,
    origin_node text,
    origin_log_id uuid,
    origin_epoch integer,
    origin_position bigint,
    leaf bytea not null,
    constraint events_stream_version unique (stream_id, version),
    constraint events_command unique (issuer, command_id, ordinal)
);

-- Commands that were accepted and changed nothing: their answer is remembered like any other.
create table quiet_commands (
    issuer text collate "C" not null,
    command_id uuid not null,
    digest bytea not null,
    stream_id text collate "C" not null,
    version bigint not null,
    epoch integer not null,
    position bigint not null,
    recorded_at timestamptz not null,
    primary key (issuer, command_id)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'events never change' using errcode = '42501';
end $$;

create trigger events_never_change before update or delete on events
    for each row execute function refuse_change();
create trigger events_are_never_emptied before truncate on events
    for each statement execute function refuse_change();

-- Appends a batch of commands: arrays named command_* have one element per command, arrays named
-- event_* one per event, event_of pointing at its command (from 1). Answers one row per command:
--   appended  its events stand in the log (or the command is remembered as quiet)
--   known     it was carried out before; this is its first receipt
--   reused    its id was used for another content
--   conflict  the stream stands at another version (returned as stream_version)
--   subject   the stream belongs to another subject
--   later     another command of this batch goes first on its stream or with its id: send it again
--
-- Every statement of a volatile function takes a new snapshot under read committed. That is what
-- makes this right: the first waits for the lock, the later ones see all that was committed before
-- it was granted. Joining them into one statement would judge on a snapshot from before the wait.
-- Judging uses LATERAL ... LIMIT 1 only, which can be planned as nothing but index probes.
create function append(
    command_issuer text[], command_uuid uuid[], command_digest bytea[],
    command_stream text[], command_expected bigint[], command_subject text[],
    command_occurred_at timestamptz[], command_correlation uuid[], command_causation uuid[],
    command_actor text[], command_actor_person text[],
    command_rules_version text[], command_traceparent text[],
    command_origin_node text[], command_origin_log uuid[], command_origin_epoch integer[],
    command_origin_position bigint[], command_size integer[],
    event_of integer[], event_ordinal integer[], event_uuid uuid[], event_name text[],
    event_payload bytea[], event_division text[], event_industry text[], event_leaf bytea[]
) returns table (
    command integer, outcome text, stream_version bigint, log_epoch integer, log_position bigint,
    log_time timestamptz
)
language plpgsql volatile security definer set search_path from current
as $$
declare
    head bigint;
    head_time timestamptz;
    current_epoch integer;
    stamp timestamptz;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'append needs read committed, not %', current_setting('transaction_isolation')
            using errcode = '25001';
    end if;

    perform pg_advisory_xact_lock(1, 'events'::regclass::oid::integer);

    select e.position, e.recorded_at into head, head_time
        from events e order by e.position desc limit 1;
    head := coalesce(head, 0);
    select l.epoch into strict current_epoch from log l;
    stamp := greatest(clock_timestamp(), head_time);

    return query
    with sent as (
        select * from unnest(
            command_issuer, command_uuid, command_digest, command_stream, command_expected,
            command_subject, command_occurred_at, command_correlation, command_causation,
            command_actor, command_actor_person, command_rules_version, command_traceparent,
            command_origin_node, command_origin_log, command_origin_epoch, command_origin_position,
            command_size
        ) with ordinality as s (
            issuer, uuid, digest, stream, expected, subject, occurred_at, correlation, causation,
            actor, actor_person, rules_version, traceparent, origin_node, origin_log, origin_epoch,
            origin_position, size, n
        )
    ), probed as (
        select s.*,
            known.digest as known_digest, known.version as known_version,
            known.epoch as known_epoch, known.position as known_position,
            known.recorded_at as known_time,
            coalesce(stream_end.version, 0) as actual, stream_start.subject as fixed_subject
        from sent s
        left join lateral (
            (select e.digest, e.version, e.epoch, e.position, e.recorded_at
                from events e where e.issuer = s.issuer and e.command_id = s.uuid
                order by e.ordinal desc limit 1)
            union all
            (select q.digest, q.version, q.epoch, q.position, q.recorded_at
                from quiet_commands q where q.issuer = s.issuer and q.command_id = s.uuid limit 1)
            limit 1
        ) known on true
        left join lateral (
            select e.version from events e where e.stream_id = s.stream
            order by e.version desc limit 1
        ) stream_end on true
        left join lateral (
            select e.subject from events e where e.stream_id = s.stream and e.version = 1 limit 1
        ) stream_start on true
    ), judged as (
        select p.*, case
            when p.known_digest = p.digest then 'known'
            when p.known_digest is not null then 'reused'
            when p.expected <> p.actual then 'conflict'
            when p.size > 0 and p.fixed_subject <> p.subject then 'subject'
            when row_number() over (partition by p.known_digest is null, p.stream order by p.n) > 1
              or row_number() over (partition by p.issuer, p.uuid order by p.n) > 1 then 'later'
            else 'appended'
        end as verdict
        from probed p
    ), numbered as (
        select j.n, e.ordinal, e.uuid, e.name, e.payload, e.division, e.industry, e.leaf,
            head + row_number() over (order by j.n, e.ordinal) as position
        from unnest(event_of, event_ordinal, event_uuid, event_name, event_payload,
                    event_division, event_industry, event_leaf)
            as e (of, ordinal, uuid, name, payload, division, industry, leaf)
        join judged j on j.n = e.of and j.verdict = 'appended'
    ), inserted as (
        insert into events (
            position, epoch, stream_id, version, event_id, event_type, payload, subject, division,
            industry, occurred_at, recorded_at, issuer, command_id, ordinal, digest,
            correlation_id, causation_id, actor, actor_person, rules_version, traceparent,
            origin_node, origin_log_id, origin_epoch, origin_position, leaf)
        select e.position, current_epoch, j.stream, j.expected + 1 + e.ordinal, e.uuid, e.name,
            e.payload, j.subject, e.division, e.industry, j.occurred_at, stamp, j.issuer, j.uuid,
            e.ordinal, j.digest, j.correlation, j.causation, j.actor, j.actor_person,
            j.rules_version, j.traceparent, j.origin_node, j.origin_log, j.origin_epoch,
            j.origin_position, e.leaf
        from numbered e join judged j on j.n = e.n
    ), remembered as (
        insert into quiet_commands
        select j.issuer, j.uuid, j.digest, j.stream, j.actual, current_epoch, head, stamp
        from judged j where j.verdict = 'appended' and j.size = 0
    )
    select j.n::integer, j.verdict,
        case j.verdict when 'known' then j.known_version when 'appended' then j.expected + j.size
            else j.actual end,
        case j.verdict when 'known' then j.known_epoch else current_epoch end,
        case j.verdict when 'known' then j.known_position
            else coalesce((select max(e.position) from numbered e where e.n = j.n), head) end,
        case j.verdict when 'known' then j.known_time else stamp end
    from judged j;
end $$;

revoke execute on function append from public;
