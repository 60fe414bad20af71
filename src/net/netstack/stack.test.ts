import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { MockClock } from "#quartz/mock.ts";
import { type Link, type LinkOptions, newLink } from "../natlab/link.ts";
import { Netstack, type StackOptions } from "./stack.ts";
import { encodeSegment, flag, parseSegment } from "./tcp/segment.ts";
import type { TcpStream } from "./tcp/stream.ts";
import { parseAddress } from "./address.ts";

const clientAddress = "fd7a:115c:a1e0::1";
const serverAddress = "fd7a:115c:a1e0::2";

interface Pair {
  readonly clock: MockClock;
  readonly client: Netstack;
  readonly server: Netstack;
  readonly up: Link;
  readonly down: Link;
}

function newPair(
  seed: string,
  options: Partial<LinkOptions> & { server?: Partial<StackOptions>; toServer?: Partial<LinkOptions> } = {},
): Pair {
  const clock = new MockClock();
  const rand = seededRand(seed);
  const shared = { clock, rand, ...options };
  const up: Link = newLink({ ...shared, ...options.toServer }, (packet) => server.receive(packet));
  const down: Link = newLink(shared, (packet) => client.receive(packet));
  const client = new Netstack({ addresses: [clientAddress], clock, rand, send: (packet) => up.send(packet) });
  const server: Netstack = new Netstack({
    addresses: [serverAddress],
    clock,
    rand,
    send: (packet) => down.send(packet),
    ...options.server,
  });
  return { clock, client, server, up, down };
}

/** Moves the clock while a promise is open. */
async function drive<T>(clock: MockClock, promise: Promise<T>, limitMs = 600_000): Promise<T> {
  let settled = false;
  const watched = promise.finally(() => (settled = true));
  watched.catch(() => {});
  const end = clock.monotonic() + limitMs;
  await clock.advance(0);
  while (!settled && clock.monotonic() < end) {
    if (clock.peek() === undefined) await clock.advance(1);
    else await clock.advanceToNext();
  }
  if (!settled) throw new Error(`not done within ${limitMs} ms`);
  return watched;
}

async function readAll(stream: TcpStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function hash(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

async function connect(pair: Pair, port = 22): Promise<readonly [TcpStream, TcpStream]> {
  const accepted = new Promise<TcpStream>((resolve) => pair.server.listen(port, resolve));
  const dialed = await drive(pair.clock, pair.client.dial(serverAddress, port));
  return [dialed, await drive(pair.clock, accepted)];
}

test("bytes arrive whole under loss, reordering and duplication, both ways at once", async () => {
  for (const [seed, link] of [
    ["clean", {}],
    ["loss", { loss: 20 }],
    ["heavy loss", { loss: 100 }],
    ["reorder", { reorder: 100 }],
    ["all", { loss: 30, reorder: 50, duplicate: 30 }],
  ] as const) {
    const pair = newPair(seed, link);
    const [near, far] = await connect(pair);
    const rand = seededRand(`data ${seed}`);
    const there = Buffer.concat(Array.from({ length: 4 }, () => rand.bytes(32 << 10)));
    const back = rand.bytes(50_001);
    near.end(there);
    far.end(back);
    const [gotThere, gotBack] = await drive(pair.clock, Promise.all([readAll(far), readAll(near)]));
    assert.equal(hash(gotThere), hash(there), seed);
    assert.equal(hash(gotBack), hash(back), seed);
    await pair.clock.advance(61_000);
    assert.deepEqual([pair.client.connections, pair.server.connections], [0, 0], `${seed}: nothing is left`);
  }
});

test("a clean link sees no retransmission; one lost segment is repaired without a timeout", async () => {
  for (const lost of [-1, 20]) {
    let data = 0;
    const pair = newPair("one", {
      toServer: { drop: (packet) => packet.length > 1000 && data++ === lost },
    });
    const [near, far] = await connect(pair);
    const before = pair.up.counts.sent;
    near.end(Buffer.alloc(200_000, 7));
    const start = pair.clock.monotonic();
    const got = await drive(pair.clock, readAll(far));
    assert.equal(got.length, 200_000);
    const segments = Math.ceil(200_000 / 1208);
    assert.ok(
      pair.up.counts.sent - before <= segments + (lost < 0 ? 3 : 6),
      `${pair.up.counts.sent - before}`,
    );
    assert.ok(
      pair.clock.monotonic() - start < 150,
      "SACK repairs within round trips, not by the 200 ms timer",
    );
    near.destroy();
    pair.client[Symbol.dispose]();
    pair.server[Symbol.dispose]();
  }
});

test("half-close: a side that has ended still reads", async () => {
  const pair = newPair("half");
  const [near, far] = await connect(pair);
  near.end("question");
  assert.equal((await drive(pair.clock, readAll(far))).toString(), "question");
  far.end("answer");
  assert.equal((await drive(pair.clock, readAll(near))).toString(), "answer");
});

test("a reader that stops stops the writer, and a closed window opens again", async () => {
  const pair = newPair("stop");
  const [near, far] = await connect(pair);
  let written = 0;
  const writer = (async () => {
    for (let i = 0; i < 200; i++) {
      if (!near.write(Buffer.alloc(64 << 10, i))) await new Promise((resolve) => near.once("drain", resolve));
      written += 64 << 10;
    }
    near.end();
  })();
  await pair.clock.advance(5_000);
  assert.ok(written < 6 << 20, `the writer waits: ${written}`);
  const stuck = written;
  await pair.clock.advance(120_000);
  assert.equal(written, stuck);
  const got = await drive(pair.clock, readAll(far));
  await writer;
  assert.equal(got.length, 200 * (64 << 10));
});

test("nobody listens: refused; nobody answers: the signal ends it", async () => {
  const pair = newPair("refused");
  await assert.rejects(drive(pair.clock, pair.client.dial(serverAddress, 9)), { code: "ECONNREFUSED" });
  const abort = new AbortController();
  const dial = pair.client.dial("fd7a:115c:a1e0::3", 22, { signal: abort.signal });
  await pair.clock.advance(1000);
  abort.abort(new Error("enough"));
  await assert.rejects(drive(pair.clock, dial), /enough/);
  assert.equal(pair.client.connections, 0);
});

test("a peer that vanishes is given up; a reset ends both directions", async () => {
  let cut = false;
  const pair = newPair("vanish", { drop: () => cut });
  const [near, far] = await connect(pair);
  far.resume();
  cut = true;
  near.write("anyone?");
  const closed = new Promise<Error>((resolve) => near.once("error", resolve));
  const error = await drive(pair.clock, closed, 3_600_000);
  assert.match(error.message, /does not answer/);
  const other = newPair("reset");
  const [a, b] = await connect(other);
  const failed = new Promise<Error>((resolve) => b.once("error", resolve));
  b.resume();
  a.on("error", () => {});
  a.destroy(new Error("enough"));
  assert.match((await drive(other.clock, failed)).message, /reset/);
});

test("an outage of a minute loses nothing, and a kick repairs it at once", async () => {
  let cut = false;
  const pair = newPair("outage", { drop: () => cut });
  const [near, far] = await connect(pair);
  cut = true;
  near.end("late");
  await pair.clock.advance(60_000);
  cut = false;
  pair.client.kick();
  const start = pair.clock.monotonic();
  assert.equal((await drive(pair.clock, readAll(far))).toString(), "late");
  assert.ok(pair.clock.monotonic() - start < 50);
});

test("a peer that is heard again gets what was lost at once; while nothing is lost, nothing is sent twice", async () => {
  let cut = false;
  let sent = 0;
  const pair = newPair("heard", { drop: () => (sent++, cut) });
  const [near, far] = await connect(pair);
  const address = parseAddress(serverAddress);
  assert.ok(address);
  const calm = sent;
  pair.client.heard(address);
  await pair.clock.advance(1_000);
  assert.equal(sent, calm);
  cut = true;
  near.end("late");
  await pair.clock.advance(60_000);
  cut = false;
  pair.client.heard(parseAddress("fd7a:115c:a1e0::3") ?? address);
  const start = pair.clock.monotonic();
  pair.client.heard(address);
  assert.equal((await drive(pair.clock, readAll(far))).toString(), "late");
  assert.ok(pair.clock.monotonic() - start < 50);
});

test("forwarding completes the handshake only when the other leg stands", async () => {
  const pair = newPair("forward", {
    server: {
      onForward: (request) => {
        if (request.port === 8080) pair.clock.timer(500, () => request.accept().end("hello"));
        else request.reject();
      },
    },
  });
  const start = pair.clock.monotonic();
  const stream = await drive(pair.clock, pair.client.dial(serverAddress, 8080));
  assert.ok(pair.clock.monotonic() - start >= 500);
  assert.equal((await drive(pair.clock, readAll(stream))).toString(), "hello");
  await assert.rejects(drive(pair.clock, pair.client.dial(serverAddress, 8081)), { code: "ECONNREFUSED" });
});

test("pings are answered, and only from the pinged address", async () => {
  const pair = newPair("ping");
  assert.equal(await drive(pair.clock, pair.client.tsmpPing(serverAddress)), 10);
  assert.equal(await drive(pair.clock, pair.client.icmpPing(serverAddress)), 10);
  const abort = new AbortController();
  const lost = pair.client.tsmpPing("fd7a:115c:a1e0::3", { signal: abort.signal });
  abort.abort(new Error("no answer"));
  await assert.rejects(lost, /no answer/);
});

test("forged resets and SYNs in the window do not end a connection (RFC 5961)", async () => {
  const pair = newPair("forged");
  const [near, far] = await connect(pair);
  const [source, destination] = [parseAddress(clientAddress), parseAddress(serverAddress)];
  assert.ok(source && destination);
  const forge = (flags: number, seq: number): void => {
    pair.server.receive(
      encodeSegment(source, destination, {
        sourcePort: near.localPort,
        destinationPort: 22,
        seq,
        ack: 0,
        flags,
        window: 1000,
        options: {},
        data: Buffer.alloc(0),
      }),
    );
  };
  for (let seq = 0; seq < 2 ** 32; seq += 2 ** 20) {
    forge(flag.rst, seq + 1);
    forge(flag.syn, seq + 1);
  }
  near.end("alive");
  assert.equal((await drive(pair.clock, readAll(far))).toString(), "alive");
});

test("half-open connections are bounded", async () => {
  const pair = newPair("flood", { drop: () => true });
  pair.server.listen(22, () => assert.fail("never established"));
  const destination = parseAddress(serverAddress);
  const source = parseAddress(clientAddress);
  assert.ok(source && destination);
  for (let port = 1; port <= 10_000; port++) {
    pair.server.receive(
      encodeSegment(source, destination, {
        sourcePort: port,
        destinationPort: 22,
        seq: port,
        ack: 0,
        flags: flag.syn,
        window: 1000,
        options: { mss: 1220 },
        data: Buffer.alloc(0),
      }),
    );
  }
  assert.ok(pair.server.connections <= 1024);
  pair.server[Symbol.dispose]();
});

test("garbage is dropped: truncated, flipped, foreign", async () => {
  const pair = newPair("garbage");
  const [near, far] = await connect(pair);
  const rand = seededRand("fuzz");
  const destination = parseAddress(serverAddress);
  const source = parseAddress(clientAddress);
  assert.ok(source && destination);
  const packet = encodeSegment(source, destination, {
    sourcePort: near.localPort,
    destinationPort: 22,
    seq: 1,
    ack: 1,
    flags: flag.ack,
    window: 1,
    options: { timestamps: { value: 1, echo: 1 }, sack: [{ start: 1, end: 2 }] },
    data: Buffer.alloc(100),
  });
  assert.ok(parseSegment(packet));
  for (let i = 0; i < 3000; i++) {
    const broken = Buffer.from(
      packet.subarray(0, rand.int(2) === 0 ? packet.length : rand.int(packet.length)),
    );
    for (let flips = rand.int(8); flips > 0 && broken.length > 0; flips--) {
      broken.writeUInt8(rand.int(256), rand.int(broken.length));
    }
    pair.server.receive(broken);
  }
  near.end("alive");
  assert.equal((await drive(pair.clock, readAll(far))).toString(), "alive");
});
