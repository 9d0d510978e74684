// Emmett on PostgreSQL: one event by `appendToStream`, expecting version 0.
//
// 0.42 hands STREAM_DOES_NOT_EXIST to the database as "no expectation" (`toExpectedVersion`); the
// version of a stream that is not there, which it exports too, is checked.
'use strict';

const { isExpectedVersionConflictError } = require('@event-driven-io/emmett');
const {
  getPostgreSQLEventStore,
  PostgreSQLEventStoreDefaultStreamVersion: NO_STREAM,
} = require('@event-driven-io/emmett-postgresql');
const { randomUUID } = require('node:crypto');
const pg = require('pg');
const { CONNECTIONS, document, measure, print, settings } = require('./closed-loop.cjs');

async function main() {
  const given = settings();
  const pool = new pg.Pool({ connectionString: given.postgres, max: CONNECTIONS });
  const store = getPostgreSQLEventStore(given.postgres, {
    schema: { autoMigration: 'None' },
    connectionOptions: { pool },
  });
  await store.schema.migrate();

  const event = { type: 'Reported', data: document(given.payload) };
  const appendFirst = (id) =>
    store.appendToStream(`report-${id}`, [event], { expectedStreamVersion: NO_STREAM });
  const measured = await measure(given, () => appendFirst(randomUUID()));

  const { rows } = await pool.query('SELECT count(*) AS stored FROM emt_messages');
  await appendFirst('taken');
  await appendFirst('taken').then(
    () => { throw new Error('a second first event was taken'); },
    (error) => { if (!isExpectedVersionConflictError(error)) throw error; },
  );
  await store.close();
  await pool.end();
  print('emmett', '@event-driven-io/emmett-postgresql', measured, Number(rows[0].stored));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
