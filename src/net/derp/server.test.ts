import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { MockClock } from "#quartz/mock.ts";
import { discardLogger } from "#slog/slog.ts";
import { boxKey, nonceLength } from "../keys/box.ts";
import { newPrivateKey, type PrivateKey, publicKeyFrom } from "../keys/x25519.ts";
import { encodeFrame, type Frame, FrameReader, frameType } from "./frame.ts";
import { encodeClientInfo, ourVersion } from "./messages.ts";
import { FairQueue } from "./queue.ts";
import { DerpServer, type DerpServerOptions } from "./server.ts";

class Client {
  readonly key: PrivateKey = newPrivateKey(cryptoRand);
  readonly near: Duplex;
  readonly frames: Frame[] = [];
  closed = false;
  readonly #reader = new FrameReader();

  constructor(server: DerpServer) {
    const [near, far] = duplexPair();
    this.near = near;
    near.on("data", (piece: Buffer) => this.frames.push(...this.#reader.push(piece)));
    near.on("end", () => (this.closed = true));
    near.on("close", () => (this.closed = true));
    near.on("error", () => {});
    void server.accept(far);
  }

  login(server: DerpServer, meshKey = ""): void {
    const shared = boxKey(this.key, publicKeyFrom(server.publicKey));
    const info = { ...ourVersion, meshKey, canAckPings: true, isProber: false };
    const nonce = cryptoRand.bytes(nonceLength);
    this.near.write(encodeClientInfo(info, { publicKey: this.key.public, boxKey: shared, nonce }));
  }

  send(to: Client, packet: Buffer): void {
    this.near.write(encodeFrame(frameType.sendPacket, to.key.public, packet));
  }

  packets(): string[] {
    return this.frames
      .filter(({ type }) => type === frameType.recvPacket)
      .map(({ payload }) => payload.subarray(32).toString());
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => process.nextTick(resolve));
  await new MockClock().advance(0);
}

function newServer(options: Partial<DerpServerOptions> = {}): { server: DerpServer; clock: MockClock } {
  const clock = new MockClock();
  const key = newPrivateKey(cryptoRand);
  return { server: new DerpServer({ key, clock, rand: cryptoRand, log: discardLogger, ...options }), clock };
}

test("packets reach their key, in order, and a leaving peer is announced to those it wrote to", async () => {
  const { server } = newServer();
  const [a, b] = [new Client(server), new Client(server)];
  a.login(server);
  b.login(server);
  await settle();
  for (const text of ["1", "2", "3"]) a.send(b, Buffer.from(text));
  await settle();
  assert.deepEqual(b.packets(), ["1", "2", "3"]);
  a.near.end();
  await settle();
  const gone = b.frames.at(-1);
  assert.equal(gone?.type, frameType.peerGone);
  assert.deepEqual(gone?.payload, Buffer.concat([a.key.public, Buffer.of(0)]));
  assert.deepEqual(server.size, { clients: 1, connections: 1 });
  await server[Symbol.asyncDispose]();
});

test("who is not admitted neither sends nor receives, and is sent away after two minutes", async () => {
  const admitted = new Set<string>();
  const { server, clock } = newServer({ admits: (key) => admitted.has(key.toString("hex")) });
  const [a, b] = [new Client(server), new Client(server)];
  a.login(server);
  b.login(server);
  await settle();
  admitted.add(a.key.public.toString("hex"));
  a.send(b, Buffer.from("no"));
  b.send(a, Buffer.from("no"));
  await settle();
  assert.deepEqual([a.packets(), b.packets()], [[], []]);
  assert.equal(server.counters.dropped.not_admitted, 1);
  await clock.advance(120_000);
  await settle();
  assert.deepEqual([a.closed, b.closed], [false, true]);
  await server[Symbol.asyncDispose]();
});

test("a relay that has closed takes nobody in: peers come back at once, while the server still ends", async () => {
  const { server } = newServer();
  await server[Symbol.asyncDispose]();
  const [, far] = duplexPair();
  await server.accept(far);
  assert.equal(far.destroyed, true);
});

test("a connection without login is closed after ten seconds; an oversized frame at once", async () => {
  const { server, clock } = newServer();
  const silent = new Client(server);
  const loud = new Client(server);
  loud.login(server);
  await settle();
  loud.near.write(Buffer.from([0x77, 0xff, 0xff, 0xff, 0xff]));
  await settle();
  assert.equal(loud.closed, true);
  assert.equal(silent.closed, false);
  await clock.advance(10_000);
  await settle();
  assert.equal(silent.closed, true);
  await server[Symbol.asyncDispose]();
});

test("a receiver that does not read is cut off and does not hold memory", async () => {
  const { server, clock } = newServer();
  const [a, b] = [new Client(server), new Client(server)];
  a.login(server);
  b.login(server);
  await settle();
  b.near.pause();
  for (let i = 0; i < 3000; i++) a.send(b, Buffer.alloc(1000));
  await settle();
  assert.ok(server.counters.dropped.queue_head > 1000);
  await clock.advance(2_000);
  await settle();
  assert.deepEqual(server.size, { clients: 1, connections: 1 });
  await server[Symbol.asyncDispose]();
});

test("the same key twice: packets go to the connection that sent last", async () => {
  const { server } = newServer();
  const [a, b] = [new Client(server), new Client(server)];
  const twin = new Client(server);
  Object.assign(twin, { key: b.key });
  for (const client of [a, b, twin]) client.login(server);
  await settle();
  a.send(b, Buffer.from("to the twin"));
  b.send(a, Buffer.from("here"));
  await settle();
  a.send(b, Buffer.from("to b"));
  await settle();
  assert.deepEqual([b.packets(), twin.packets()], [["to b"], ["to the twin"]]);
  b.near.end();
  await settle();
  a.send(b, Buffer.from("twin again"));
  await settle();
  assert.deepEqual(twin.packets(), ["to the twin", "twin again"]);
  await server[Symbol.asyncDispose]();
});

test("clients are told to come back before the server stops", async () => {
  const { server } = newServer();
  const a = new Client(server);
  a.login(server);
  await settle();
  await server[Symbol.asyncDispose]();
  await settle();
  assert.equal(a.frames.at(-1)?.type, frameType.restarting);
  assert.equal(a.closed, true);
});

test("a full queue drops the oldest of the busiest sender", () => {
  const queue = new FairQueue(4);
  const frame = Buffer.alloc(0);
  const push = (from: string): string | undefined => queue.push({ from, frame })?.from;
  push("quiet");
  for (let i = 0; i < 3; i++) assert.equal(push("busy"), undefined);
  assert.equal(push("busy"), "busy");
  assert.equal(push("quiet"), "busy");
  assert.equal(queue.length, 4);
  const order: (string | undefined)[] = [];
  for (let i = 0; i < 5; i++) order.push(queue.shift()?.from);
  assert.deepEqual(order, ["quiet", "busy", "busy", "quiet", undefined]);
});

test("frames are cut whatever the pieces are", () => {
  const bytes = Buffer.concat([
    encodeFrame(frameType.keepAlive),
    encodeFrame(frameType.health, Buffer.from("x".repeat(300))),
    encodeFrame(frameType.ping, Buffer.alloc(8, 1)),
  ]);
  for (const size of [1, 2, 3, 7, 100, 1000]) {
    const reader = new FrameReader();
    const types: number[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const { type, payload } of reader.push(bytes.subarray(at, at + size))) {
        types.push(type);
        if (type === frameType.health) assert.equal(payload.length, 300);
      }
    }
    assert.deepEqual(types, [frameType.keepAlive, frameType.health, frameType.ping]);
  }
});
