// What both Node peers share: their settings, the closed loop of callers, and the line that says
// what was seen. ../rust/closed-loop does the same for Rust, by the same rules.
//
// Each caller appends, waits for the answer and appends again. Counted is what was acknowledged
// between the end of the warm-up and the end of the given time.
'use strict';

const { randomBytes } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');
const { parseArgs } = require('node:util');

// Runs without being counted, so that connections, caches and compilers are warm.
const WARM_UP_MS = 500;

// The connections of a peer. pg's own default, which both take over, is 10.
const CONNECTIONS = 16;

function number(name, text) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} cannot be ${text}`);
  return value;
}

function settings() {
  const option = { type: 'string' };
  const { values } = parseArgs({
    options: { postgres: option, callers: option, seconds: option, payload: option },
  });
  if (!values.postgres) throw new Error('--postgres is missing');
  return {
    postgres: values.postgres,
    callers: number('callers', values.callers),
    seconds: number('seconds', values.seconds),
    payload: number('payload', values.payload),
  };
}

/** A document that is `bytes` long as JSON and compresses badly. */
function document(bytes) {
  const length = bytes - JSON.stringify({ text: '' }).length;
  if (length < 0) throw new Error(`--payload must be at least ${bytes - length}`);
  return { text: randomBytes(length).toString('hex').slice(0, length) };
}

/** Runs the closed loop. The first append that fails ends it. */
async function measure({ callers, seconds }, append) {
  const start = performance.now() + WARM_UP_MS;
  const end = start + seconds * 1000;
  const latencies = [];
  let acknowledged = 0;
  const caller = async () => {
    for (let asked = performance.now(); asked < end; asked = performance.now()) {
      await append();
      const answered = performance.now();
      acknowledged += 1;
      if (start <= answered && answered < end) latencies.push(answered - asked);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  latencies.sort((one, other) => one - other);
  return { acknowledged, seconds, latencies };
}

/** The version that is installed. */
function installedVersion(name) {
  const manifest = join(process.env.NODE_PATH, name, 'package.json');
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}

/** Prints the line, unless the store holds fewer events than it acknowledged. */
function print(peer, npmPackage, { acknowledged, seconds, latencies }, stored) {
  if (stored < acknowledged) {
    throw new Error(`${acknowledged} appends were acknowledged, ${stored} events are there`);
  }
  if (latencies.length === 0) throw new Error('not one append was acknowledged in time');
  const percentile = (percent) =>
    Math.round(latencies[Math.floor(((latencies.length - 1) * percent) / 100)] * 1000);
  const line = {
    peer,
    version: installedVersion(npmPackage),
    language: 'JavaScript',
    events: latencies.length,
    seconds,
    p50_us: percentile(50),
    p99_us: percentile(99),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

module.exports = { CONNECTIONS, document, measure, print, settings };
