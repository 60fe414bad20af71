import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { eventually } from "#testutil/testutil.ts";
import { World } from "./tailnettest/world.ts";

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}

test("a client reaches its agent: TSMP, disco, ICMPv6, TCP both ways, in well under a second", async () => {
  await using world = new World();
  const agent = world.startAgent();
  agent.conn.listenTcp(22, (stream) => void text(stream).then((got) => stream.end(`got ${got}`)));
  const start = realClock.monotonic();
  const client = world.startClient(agent.id);
  await client.conn.awaitReachable(agent.address, { signal: soon() });
  const stream = await client.conn.dialTcp(agent.address, 22, { signal: soon() });
  stream.end("hello");
  assert.equal(await text(stream), "got hello");
  assert.ok(realClock.monotonic() - start < 2_000, `${realClock.monotonic() - start} ms`);
  const pong = await client.conn.ping(agent.address, { signal: soon() });
  assert.equal(pong.regionId, 999);
  await assert.rejects(client.conn.dialTcp(agent.address, 23, { signal: soon() }), { code: "ECONNREFUSED" });
});

test("an agent that reaches its relay after it was announced is reached at once, not at the next retry", async () => {
  await using world = new World();
  const relay = Promise.withResolvers<void>();
  const agent = world.startAgent({ relayOpens: relay.promise });
  const client = world.startClient(agent.id);
  const reached = client.conn.awaitReachable(agent.address, { signal: soon() });
  const lost = (): number => world.relay.counters.dropped.unknown_dest;
  await eventually("tries of the client are lost, some seconds before the next", () => lost() >= 4);
  const start = realClock.monotonic();
  relay.resolve();
  await reached;
  assert.ok(realClock.monotonic() - start < 1_000, `${realClock.monotonic() - start} ms`);
});

test("two megabytes arrive whole through the relay", async () => {
  await using world = new World();
  const agent = world.startAgent();
  const data = cryptoRand.bytes(2 << 20);
  const received = new Promise<string>((resolve) => {
    agent.conn.listenTcp(22, (stream) => {
      const hash = createHash("sha256");
      stream.on("data", (part: Buffer) => hash.update(part));
      stream.on("end", () => resolve(hash.digest("hex")));
    });
  });
  const client = world.startClient(agent.id);
  await client.conn.awaitReachable(agent.address, { signal: soon() });
  const stream = await client.conn.dialTcp(agent.address, 22, { signal: soon() });
  stream.end(data);
  assert.equal(await received, createHash("sha256").update(data).digest("hex"));
});

test("clients do not reach each other, nor agents without a tunnel", async () => {
  await using world = new World();
  const agent = world.startAgent();
  const other = world.startAgent();
  const [a, b] = [world.startClient(agent.id), world.startClient(agent.id)];
  await a.conn.awaitReachable(agent.address, { signal: soon() });
  await b.conn.awaitReachable(agent.address, { signal: soon() });
  for (const address of [b.address, other.address]) {
    assert.equal(a.conn.peerAt(address), undefined);
    await assert.rejects(a.conn.awaitReachable(address, { signal: AbortSignal.timeout(150) }));
  }
});

test("a client that says goodbye is forgotten by the agent at once", async () => {
  await using world = new World();
  const agent = world.startAgent();
  const client = world.startClient(agent.id);
  await client.conn.awaitReachable(agent.address, { signal: soon() });
  assert.ok(agent.conn.peerAt(client.address));
  await client[Symbol.asyncDispose]();
  await eventually("the agent forgets", () => agent.conn.peerAt(client.address) === undefined);
});
