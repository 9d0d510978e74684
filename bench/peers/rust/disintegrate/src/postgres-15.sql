-- What the migrator of disintegrate-postgres 4.0 leaves undone on PostgreSQL 15: it ends at this
-- function, whose mask it writes 0xFFFFFFFF. The same work with the mask in decimal, then the
-- column and the index for `#[id] report_id`.

CREATE FUNCTION event_store_begin_epoch() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    last_id  bigint;
    database integer;
BEGIN
    SELECT last_value INTO last_id FROM seq_event_event_id;
    SELECT oid INTO database FROM pg_database WHERE datname = current_database();

    PERFORM pg_try_advisory_xact_lock_shared(database, 0);
    PERFORM pg_try_advisory_xact_lock_shared(1, (last_id & 4294967295)::bit(32)::integer);
    PERFORM pg_try_advisory_xact_lock_shared(2, (last_id >> 32)::bit(32)::integer);
END;
$$;

ALTER TABLE event ADD COLUMN report_id uuid;
CREATE INDEX idx_event_report_id ON event (report_id) WHERE report_id IS NOT NULL;
