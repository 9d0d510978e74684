// Message DB: its functions in PostgreSQL, called with pg. One event by `write_message`, expecting
// version -1, which is that of a stream that is not there.
//
// Its own installer makes the schema, and with it the role message_store. The streams are of one
// category, like the reports they stand for; write_message lets one writer at a time into a
// category until it has committed.
'use strict';

const { execFileSync } = require('node:child_process');
const { randomUUID } = require('node:crypto');
const { join } = require('node:path');
const pg = require('pg');
const { CONNECTIONS, document, measure, print, settings } = require('./closed-loop.cjs');

const WRITE = 'SELECT write_message($1::varchar, $2::varchar, $3::varchar, $4::jsonb, $5::jsonb, $6::bigint)';
const NO_STREAM = -1;

/** Runs the package's install.sh, which knows psql's variables and no URL. */
function install(url) {
  const { host, port, user, password, database } = new pg.Client({ connectionString: url });
  execFileSync(join(process.env.NODE_PATH, '@eventide/message-db/database/install.sh'), {
    env: {
      ...process.env,
      PGHOST: host,
      PGPORT: port,
      PGUSER: user,
      PGPASSWORD: password ?? '',
      DATABASE_NAME: database,
      CREATE_DATABASE: 'off',
    },
    stdio: ['ignore', 'ignore', 'pipe'], // a failure carries its stderr
  });
}

async function main() {
  const given = settings();
  install(given.postgres);
  const pool = new pg.Pool({
    connectionString: given.postgres,
    max: CONNECTIONS,
    options: '-c search_path=message_store,public',
  });

  const data = JSON.stringify(document(given.payload));
  const appendFirst = (id) =>
    pool.query({
      name: 'write',
      text: WRITE,
      values: [randomUUID(), `report-${id}`, 'Reported', data, null, NO_STREAM],
    });
  const measured = await measure(given, () => appendFirst(randomUUID()));

  const { rows } = await pool.query('SELECT count(*) AS stored FROM messages');
  await appendFirst('taken');
  await appendFirst('taken').then(
    () => { throw new Error('a second first event was taken'); },
    (error) => { if (!error.message.startsWith('Wrong expected version')) throw error; },
  );
  await pool.end();
  print('message-db', '@eventide/message-db', measured, Number(rows[0].stored));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
