import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { serveSpeedtest } from "./speedtest.ts";

function start() {
  const [client, server] = duplexPair();
  return { client, served: serveSpeedtest(server, realClock) };
}

const ask = (fields: object) =>
  `${JSON.stringify({ version: 2, time: 30_000_000, direction: 0, ...fields })}\n`;

test("sends for the time that was asked for", async () => {
  const { client, served } = start();
  client.write(ask({}));
  const all = await buffer(client);
  await served;
  assert.equal(all.subarray(0, 3).toString(), "{}\n");
  assert.ok(all.length > 2 << 20);
});

test("receives until the client closes", async () => {
  const { client, served } = start();
  client.write(ask({ direction: 1 }));
  client.end(Buffer.alloc(300_000));
  assert.equal((await buffer(client)).toString(), "{}\n");
  await served;
});

test("refuses another version, and what is no request", async () => {
  const other = start();
  other.client.write(ask({ version: 1 }));
  assert.match((await buffer(other.client)).toString(), /Server is version 2, client is version 1/u);
  await other.served;
  for (const text of ["rubbish}\n", "x".repeat(5000)]) {
    const bad = start();
    bad.client.end(text);
    await assert.rejects(bad.served);
  }
});
