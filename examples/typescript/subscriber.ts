// A subscriber of onenet: prints what its agency is granted, and goes on after every interruption where it was.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { credentials, loadPackageDefinition, status, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { ProtoGrpcType } from "./stubs/exchange_service.js";
import type { Delivery__Output } from "./stubs/onenet/exchange/v1/Delivery.js";
import type { SubscribeResponse__Output } from "./stubs/onenet/exchange/v1/SubscribeResponse.js";

const { values: args } = parseArgs({
  options: {
    address: { type: "string", default: "localhost:7443" }, // host:port of the node
    ca: { type: "string", default: "ca.pem" }, // authority that signed the node's certificate (PEM)
    certificate: { type: "string", default: "agency.pem" }, // our certificate (PEM)
    key: { type: "string", default: "agency.key" }, // its key (PEM)
    token: { type: "string", default: "token" }, // file in which the resume token is kept
    count: { type: "string", default: "0" }, // end with the batch that holds this sequence; 0: never
  },
});

// Refusals that waiting does not mend: somebody has to act. Everything else is tried again.
const FINAL = [
  status.INVALID_ARGUMENT, status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.NOT_FOUND, status.FAILED_PRECONDITION,
  status.ABORTED, // another subscriber goes on with our token
  status.UNIMPLEMENTED,
];
const LONGEST_WAIT = 30;

// Mutual TLS: the node knows who we are by our certificate, and by nothing else.
function connect() {
  const contract = loadSync("onenet/exchange/v1/exchange_service.proto", {
    includeDirs: [new URL("../proto", import.meta.url).pathname],
    longs: String, // a sequence may be larger than a number of JavaScript holds exactly
    oneofs: true,
  });
  const { onenet } = loadPackageDefinition(contract) as unknown as ProtoGrpcType;
  const [ca, key, certificate] = [args.ca, args.key, args.certificate].map((file) => readFileSync(file));
  return new onenet.exchange.v1.ExchangeService(args.address, credentials.createSsl(ca, key, certificate), {
    "grpc.max_receive_message_length": -1, // a batch may be larger than the 4 MiB that clients take by default
    "grpc.keepalive_time_ms": 30_000, // notices a connection that died in silence
    "grpc.keepalive_timeout_ms": 10_000,
  });
}

// Your work begins here. `event.binaryData` holds the message that `event.type` names.
function handle({ sequence, event }: Delivery__Output) {
  console.log(sequence, event?.type, event?.attributes?.subject?.ceString ?? "");
}

// Puts the token in place of the last, whole or not at all.
function keep(token: string) {
  writeFileSync(`${args.token}.new`, token, { flush: true });
  renameSync(`${args.token}.new`, args.token);
}

const node = connect();
for (let wait = 1; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
  const start = existsSync(args.token) ? { resumeToken: readFileSync(args.token, "utf8") } : { beginning: {} };
  let reason = "the node ended the stream";
  try {
    for await (const response of node.subscribe(start) as AsyncIterable<SubscribeResponse__Output>) {
      wait = 1;
      // `subscribed` comes first, `batch` brings events, `progress` only a newer token
      const { subscribed, batch, progress } = response;
      const deliveries = batch?.deliveries ?? [];
      deliveries.forEach(handle);
      const token = (subscribed ?? batch ?? progress)?.resumeToken;
      if (token) keep(token); // after the work: what is covered does not come again
      const last = deliveries.at(-1)?.sequence;
      if (last && args.count !== "0" && BigInt(last) >= BigInt(args.count)) process.exit(0);
    }
  } catch (error) {
    const { code, details, message } = error as ServiceError;
    reason = code === undefined ? message : `${status[code]}: ${details}`;
    if (code === undefined || FINAL.includes(code)) {
      console.error(reason);
      process.exit(1);
    }
  }
  const pause = wait * (0.5 + Math.random() / 2); // so that not everybody comes back at once
  console.error(`${reason}; again in ${pause.toFixed(1)} s`);
  await sleep(pause * 1000);
}
