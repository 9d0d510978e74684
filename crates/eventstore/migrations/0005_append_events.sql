-- The key of commands begins with what tells them apart. Nearly all of a context's commands have few issuers,
-- so a search compared one text with itself at every step; and an id that ascends in time (UUIDv7) now comes
-- at the end of the key, where pages are near at hand and filled one after the other.
alter table events
    drop constraint events_command,
    add constraint events_command unique (command_id, issuer, ordinal);

-- What `append` does, from other arrays: each has one element per event, so that nothing is joined to write
-- them. The elements of a command are neighbours in the order of `event_ordinal`, from 0, and repeat what
-- belongs to the command; one that brings no event has a single element without `event_uuid`. `place` counts
-- the elements from 1, `command_size` says how many events a command has.
--
-- It answers as `append` does, `command` being the place where the command begins. `append` stays for programs
-- of before, while a node is brought up to date.
--
-- Nothing in here says how many rows a set has but the lengths of arrays, which PostgreSQL takes for short as
-- long as it does not know them: so it keeps its plans, and does not make each anew for each batch.
create function append_events(
    place integer[], command_issuer text[], command_uuid uuid[], command_digest bytea[],
    command_stream text[], command_expected bigint[], command_subject text[],
    command_occurred_at timestamptz[], command_correlation uuid[], command_causation uuid[],
    command_actor text[], command_actor_person text[],
    command_rules_version text[], command_traceparent text[],
    command_origin_node text[], command_origin_log uuid[], command_origin_epoch integer[],
    command_origin_position bigint[], command_size integer[],
    event_ordinal integer[], event_uuid uuid[], event_name text[], event_payload bytea[],
    event_division text[], event_industry text[], event_leaf bytea[],
    at_once boolean
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
        raise exception 'append_events needs read committed, not %',
            current_setting('transaction_isolation') using errcode = '25001';
    end if;

    perform pg_advisory_xact_lock(1, 'events'::regclass::oid::integer);

    select e.position, e.recorded_at into head, head_time
        from events e order by e.position desc limit 1;
    head := coalesce(head, 0);
    select l.epoch into strict current_epoch from log l;
    stamp := greatest(clock_timestamp(), head_time);

    -- What no unique key would notice: commands without events, and streams that do not stand where
    -- they are expected or belong to another subject. New streams are the keys' affair altogether.
    at_once := at_once and (
        select bool_and(s.size > 0 and quiet.found is null and (s.expected = 0 or stands.found is true))
        from (select unnest(command_issuer) as issuer, unnest(command_uuid) as uuid,
                unnest(command_stream) as stream, unnest(command_expected) as expected,
                unnest(command_subject) as subject, unnest(command_size) as size,
                unnest(event_ordinal) as ordinal) s
        left join lateral (
            select true as found from quiet_commands q
            where q.issuer = s.issuer and q.command_id = s.uuid limit 1
        ) quiet on true
        left join lateral (
            select e.subject = s.subject as found from events e
            where s.expected > 0 and e.stream_id = s.stream and e.version = s.expected limit 1
        ) stands on true
        where s.ordinal = 0
    );

    if at_once then
        begin
            insert into events (
                position, epoch, stream_id, version, event_id, event_type, payload, subject, division,
                industry, occurred_at, recorded_at, issuer, command_id, ordinal, digest,
                correlation_id, causation_id, actor, actor_person, rules_version, traceparent,
                origin_node, origin_log_id, origin_epoch, origin_position, leaf)
            select head + e.place, current_epoch, e.stream, e.expected + 1 + e.ordinal, e.uuid, e.name,
                e.payload, e.subject, e.division, e.industry, e.occurred_at, stamp, e.issuer, e.command,
                e.ordinal, e.digest, e.correlation, e.causation, e.actor, e.actor_person,
                e.rules_version, e.traceparent, e.origin_node, e.origin_log, e.origin_epoch,
                e.origin_position, e.leaf
            from (select unnest(append_events.place) as place, unnest(command_issuer) as issuer,
                    unnest(command_uuid) as command, unnest(command_digest) as digest,
                    unnest(command_stream) as stream, unnest(command_expected) as expected,
                    unnest(command_subject) as subject, unnest(command_occurred_at) as occurred_at,
                    unnest(command_correlation) as correlation,
                    unnest(command_causation) as causation, unnest(command_actor) as actor,
                    unnest(command_actor_person) as actor_person,
                    unnest(command_rules_version) as rules_version,
                    unnest(command_traceparent) as traceparent,
                    unnest(command_origin_node) as origin_node,
                    unnest(command_origin_log) as origin_log,
                    unnest(command_origin_epoch) as origin_epoch,
                    unnest(command_origin_position) as origin_position,
                    unnest(event_ordinal) as ordinal, unnest(event_uuid) as uuid,
                    unnest(event_name) as name, unnest(event_payload) as payload,
                    unnest(event_division) as division, unnest(event_industry) as industry,
                    unnest(event_leaf) as leaf) e;

            return query
            select s.place, 'appended', s.expected + s.size, current_epoch,
                head + s.place - 1 + s.size, stamp
            from (select unnest(append_events.place) as place, unnest(command_expected) as expected,
                    unnest(command_size) as size, unnest(event_ordinal) as ordinal) s
            where s.ordinal = 0;
            return;
        exception when unique_violation then
            -- a command that is known, a stream that has moved on, or two of this batch on one: judged
        end;
    end if;

    return query
    with probed as (
        select s.*,
            known.digest as known_digest, known.version as known_version,
            known.epoch as known_epoch, known.position as known_position,
            known.recorded_at as known_time,
            coalesce(stream_end.version, 0) as actual, stream_end.subject as fixed_subject
        from unnest(
            append_events.place, command_issuer, command_uuid, command_digest, command_stream,
            command_expected, command_subject, command_occurred_at, command_correlation,
            command_causation, command_actor, command_actor_person, command_rules_version,
            command_traceparent, command_origin_node, command_origin_log, command_origin_epoch,
            command_origin_position, command_size, event_ordinal
        ) as s (
            place, issuer, uuid, digest, stream, expected, subject, occurred_at, correlation, causation,
            actor, actor_person, rules_version, traceparent, origin_node, origin_log, origin_epoch,
            origin_position, size, ordinal
        )
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
            select e.version, e.subject from events e where e.stream_id = s.stream
            order by e.version desc limit 1
        ) stream_end on true
        where s.ordinal = 0
    ), judged as (
        select p.*, case
            when p.known_digest = p.digest then 'known'
            when p.known_digest is not null then 'reused'
            when p.expected <> p.actual then 'conflict'
            when p.size > 0 and p.fixed_subject <> p.subject then 'subject'
            when row_number() over (partition by p.known_digest is null, p.stream order by p.place) > 1
              or row_number() over (partition by p.issuer, p.uuid order by p.place) > 1 then 'later'
            else 'appended'
        end as verdict
        from probed p
    ), placed as (
        -- `last` is the position of the command's last event
        select j.*,
            head + sum(j.size) filter (where j.verdict = 'appended') over (order by j.place) as last
        from judged j
    ), inserted as (
        insert into events (
            position, epoch, stream_id, version, event_id, event_type, payload, subject, division,
            industry, occurred_at, recorded_at, issuer, command_id, ordinal, digest,
            correlation_id, causation_id, actor, actor_person, rules_version, traceparent,
            origin_node, origin_log_id, origin_epoch, origin_position, leaf)
        select p.last - p.size + 1 + e.ordinal, current_epoch, p.stream, p.expected + 1 + e.ordinal,
            e.uuid, e.name, e.payload, p.subject, e.division, e.industry, p.occurred_at, stamp,
            p.issuer, p.uuid, e.ordinal, p.digest, p.correlation, p.causation, p.actor,
            p.actor_person, p.rules_version, p.traceparent, p.origin_node, p.origin_log,
            p.origin_epoch, p.origin_position, e.leaf
        from unnest(append_events.place, event_ordinal, event_uuid, event_name, event_payload,
                    event_division, event_industry, event_leaf)
            as e (place, ordinal, uuid, name, payload, division, industry, leaf)
        join placed p on p.place = e.place - e.ordinal and p.verdict = 'appended' and p.size > 0
    ), remembered as (
        insert into quiet_commands
        select p.issuer, p.uuid, p.digest, p.stream, p.actual, current_epoch, head, stamp
        from placed p where p.verdict = 'appended' and p.size = 0
    )
    select p.place, p.verdict,
        case p.verdict when 'known' then p.known_version when 'appended' then p.expected + p.size
            else p.actual end,
        case p.verdict when 'known' then p.known_epoch else current_epoch end,
        case when p.verdict = 'known' then p.known_position
            when p.verdict = 'appended' and p.size > 0 then p.last else head end,
        case p.verdict when 'known' then p.known_time else stamp end
    from placed p;
end $$;

revoke execute on function append_events from public;
