import assert from "node:assert/strict";
import { duplexPair, type Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { MockClock } from "#quartz/mock.ts";
import { YamuxError } from "./frame.ts";
import { YamuxSession, type YamuxOptions } from "./session.ts";

function pair(
  t: TestContext,
  server: Partial<YamuxOptions> = {},
): { client: YamuxSession; server: YamuxSession } {
  const [a, b] = duplexPair();
  const sides = {
    client: YamuxSession.start(a, { role: "client" }),
    server: YamuxSession.start(b, { role: "server", ...server }),
  };
  t.after(() => {
    sides.client.close();
    sides.server.close();
  });
  return sides;
}

async function first(session: YamuxSession): Promise<Duplex> {
  for await (const stream of session.incoming()) return stream;
  throw new Error("the session ended");
}

test("bytes go both ways and half-closing ends one direction", async (t) => {
  const { client, server } = pair(t);
  const ours = client.open();
  ours.end("question");
  const theirs = await first(server);
  assert.equal((await buffer(theirs)).toString(), "question");
  theirs.end("answer");
  assert.equal((await buffer(ours)).toString(), "answer");
  assert.equal(client.streams, 0);
  assert.equal(server.streams, 0);
});

test("a stream larger than the window arrives whole", async (t) => {
  const { client, server } = pair(t);
  const sent = Buffer.alloc(3_000_000, (await import("node:crypto")).randomBytes(997));
  client.open().end(sent);
  assert.ok((await buffer(await first(server))).equals(sent));
});

test("a reader that does not read holds the writer at the window, and no other stream", async (t) => {
  const { client, server } = pair(t);
  const blocked = client.open();
  blocked.write(Buffer.alloc(600_000));
  const other = client.open();
  const incoming = server.incoming();
  const one = (await incoming.next()).value;
  const two = (await incoming.next()).value;
  assert.ok(one && two);
  other.end("through");
  assert.equal((await buffer(two)).toString(), "through");
  assert.equal(one.readableLength, 256 * 1024);
  one.resume();
  blocked.end();
  await new Promise((resolve) => one.once("end", resolve));
});

test("destroying a stream resets the other side", async (t) => {
  const { client, server } = pair(t);
  const ours = client.open();
  const theirs = await first(server);
  ours.destroy();
  await assert.rejects(buffer(theirs), /reset/);
  assert.equal(server.streams, 0);
});

test("one stream more than allowed is reset", async (t) => {
  const { client, server } = pair(t, { maxStreams: 1 });
  const kept = client.open();
  await assert.rejects(buffer(client.open()), /reset/);
  kept.end("x");
  assert.equal((await buffer(await first(server))).toString(), "x");
});

test("a session that ends takes its streams and its waiting reader along", async (t) => {
  const { client, server } = pair(t);
  const stream = client.open();
  const theirs = await first(server);
  server.close();
  await assert.rejects(buffer(theirs), YamuxError);
  await assert.rejects(buffer(stream), YamuxError);
  assert.ok(client.signal.aborted);
  for await (const _ of client.incoming()) assert.fail("no stream can come");
  assert.throws(() => client.open(), YamuxError);
});

test("ping answers with the round trip", async (t) => {
  const { client } = pair(t);
  assert.ok((await client.ping()) >= 0);
});

test("a silent peer ends the session after the keepalive's answer is late", async () => {
  const clock = new MockClock();
  const [a] = duplexPair();
  const session = YamuxSession.start(a, { role: "client", clock });
  await clock.advance(30_000);
  assert.equal(session.signal.aborted, false);
  await clock.advance(10_000);
  assert.match(String(session.signal.reason), /ping was not answered/);
});

test("a stream that nobody accepts ends the session after 75 s", async () => {
  const clock = new MockClock();
  const [a] = duplexPair();
  const session = YamuxSession.start(a, { role: "client", clock, keepAliveMs: 0 });
  session.open();
  await clock.advance(75_000);
  assert.match(String(session.signal.reason), /not accepted/);
});

test("after go-away no stream opens, open ones go on", async (t) => {
  const { client, server } = pair(t);
  const ours = client.open();
  const theirs = await first(server);
  client.goAway();
  assert.throws(() => client.open(), /no new streams/);
  await client.ping();
  assert.throws(() => server.open(), /no new streams/);
  ours.end("still");
  assert.equal((await buffer(theirs)).toString(), "still");
});
