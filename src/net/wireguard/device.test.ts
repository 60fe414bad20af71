import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { MockClock } from "#quartz/mock.ts";
import { newPrivateKey } from "../keys/x25519.ts";
import { newLink } from "../natlab/link.ts";
import { WireGuard } from "./device.ts";

const addressA = Buffer.from("fd7a115ca1e000000000000000000001", "hex");
const addressB = Buffer.from("fd7a115ca1e000000000000000000002", "hex");

function inner(source: Buffer, destination: Buffer, text: string): Buffer {
  const packet = Buffer.alloc(40 + text.length);
  packet.writeUInt8(0x60, 0);
  packet.writeUInt16BE(text.length, 4);
  source.copy(packet, 8);
  destination.copy(packet, 24);
  packet.write(text, 40);
  return packet;
}

interface Options {
  readonly drop?: (packet: Buffer) => boolean;
  readonly keepaliveMs?: number;
}

function newPair(options: Options = {}) {
  const clock = new MockClock();
  const rand = seededRand("wireguard");
  const [keyA, keyB] = [newPrivateKey(rand), newPrivateKey(rand)];
  const [gotA, gotB]: [string[], string[]] = [[], []];
  const seen: Buffer[] = [];
  const shared = { clock, rand, delayMs: 10 };
  const drop = (packet: Buffer): boolean => {
    seen.push(packet);
    return options.drop?.(packet) ?? false;
  };
  const toB = newLink({ ...shared, drop }, (packet) => b.receive(packet));
  const toA = newLink({ ...shared, drop }, (packet) => a.receive(packet));
  const text = (packet: Buffer): string => packet.toString("utf8", 40);
  const a: WireGuard = new WireGuard({
    key: keyA,
    clock,
    rand,
    send: (_key, packet) => toB.send(packet),
    deliver: (packet) => gotA.push(text(packet)),
  });
  const b: WireGuard = new WireGuard({
    key: keyB,
    clock,
    rand,
    send: (_key, packet) => toA.send(packet),
    deliver: (packet) => gotB.push(text(packet)),
  });
  const persistentKeepaliveMs = options.keepaliveMs ?? 0;
  a.setPeer({ publicKey: keyB.public, allowedIps: [addressB], persistentKeepaliveMs });
  b.setPeer({ publicKey: keyA.public, allowedIps: [addressA] });
  return {
    clock,
    a,
    b,
    keyA,
    keyB,
    gotA,
    gotB,
    seen,
    types: () => seen.map((packet) => packet.readUInt8(0)),
  };
}

test("the first packet shakes hands and arrives; answers need no second handshake", async () => {
  const pair = newPair();
  assert.ok(pair.a.output(inner(addressA, addressB, "one")));
  assert.ok(pair.a.output(inner(addressA, addressB, "two")));
  await pair.clock.advance(30);
  assert.deepEqual(pair.gotB, ["one", "two"]);
  pair.b.output(inner(addressB, addressA, "back"));
  await pair.clock.advance(10);
  assert.deepEqual(pair.gotA, ["back"]);
  assert.deepEqual(pair.types(), [1, 2, 4, 4, 4]);
  assert.equal(pair.a.output(inner(addressA, addressA, "nowhere")), false);
});

test("the responder sends nothing before the initiator confirmed the session", async () => {
  const pair = newPair({ drop: (packet) => packet.readUInt8(0) === 4 });
  pair.a.output(inner(addressA, addressB, "lost"));
  await pair.clock.advance(25);
  pair.b.output(inner(addressB, addressA, "early"));
  await pair.clock.advance(100);
  assert.deepEqual(pair.gotA, []);
  assert.deepEqual(pair.types(), [1, 2, 4, 1, 2, 4], "it makes a session of its own instead");
});

test("sessions are renewed over hours, without a lost packet", async () => {
  const pair = newPair();
  for (let second = 0; second < 3600; second += 10) {
    pair.a.output(inner(addressA, addressB, `${second}`));
    await pair.clock.advance(5_000);
    pair.b.output(inner(addressB, addressA, `${second}`));
    await pair.clock.advance(5_000);
  }
  assert.equal(pair.gotB.length, 360);
  assert.equal(pair.gotA.length, 360);
  const handshakes = pair.types().filter((type) => type === 1).length;
  assert.ok(handshakes >= 27 && handshakes <= 32, `${handshakes} handshakes in an hour`);
});

test("an initiation that gets no answer is repeated soon, then every 5 s for 90 s, then its packets are dropped", async () => {
  const pair = newPair({ drop: () => true });
  const tries = (): number => pair.types().filter((type) => type === 1).length;
  pair.a.output(inner(addressA, addressB, "x"));
  await pair.clock.advance(1_500);
  assert.equal(tries(), 4, "at 0, 0.2, 0.6 and 1.4 s");
  await pair.clock.advance(300_000);
  assert.ok(tries() >= 21 && tries() <= 25, `${tries()}`);
});

test("the way opens: who waits for an answer asks at once, who has a session says so", async () => {
  let closed = true;
  const pair = newPair({ drop: () => closed });
  pair.a.output(inner(addressA, addressB, "x"));
  await pair.clock.advance(60_000);
  closed = false;
  pair.a.wayIsOpen(pair.b.publicKey);
  await pair.clock.advance(30);
  assert.deepEqual(pair.gotB, ["x"]);
  const before = pair.types().length;
  pair.a.wayIsOpen(pair.b.publicKey);
  await pair.clock.advance(30);
  assert.deepEqual(pair.types().slice(before), [4]);
});

test("what arrives is answered by a keepalive after 10 s; silence after sending shakes hands anew", async () => {
  const pair = newPair();
  pair.a.output(inner(addressA, addressB, "x"));
  await pair.clock.advance(30);
  assert.deepEqual(pair.types(), [1, 2, 4]);
  await pair.clock.advance(10_100);
  assert.deepEqual(pair.types(), [1, 2, 4, 4], "b's keepalive");
  await pair.clock.advance(60_000);
  assert.deepEqual(pair.types(), [1, 2, 4, 4]);
});

test("a persistent keepalive keeps coming", async () => {
  const pair = newPair({ keepaliveMs: 25_000 });
  await pair.clock.advance(100_000);
  assert.ok(pair.types().filter((type) => type === 4).length >= 3);
});

test("replays, forged packets and foreign sources are dropped", async () => {
  const pair = newPair();
  pair.a.output(inner(addressA, addressB, "one"));
  await pair.clock.advance(30);
  for (const packet of pair.seen.slice()) pair.b.receive(packet);
  assert.deepEqual(pair.gotB, ["one"]);
  pair.a.output(inner(addressB, addressB, "not my address"));
  await pair.clock.advance(30);
  assert.deepEqual(pair.gotB, ["one"]);
  const last = pair.seen.at(-1) ?? Buffer.alloc(0);
  for (let at = 0; at < last.length; at++) {
    const forged = Buffer.from(last);
    forged.writeUInt8(forged.readUInt8(at) ^ 0x80, at);
    pair.b.receive(forged);
    pair.b.receive(last.subarray(0, at));
  }
  const stranger = newPrivateKey(seededRand("stranger"));
  const other = new WireGuard({
    key: stranger,
    clock: pair.clock,
    rand: seededRand("other"),
    send: (_key, packet) => pair.b.receive(packet),
    deliver: () => {},
  });
  other.setPeer({ publicKey: pair.keyB.public, allowedIps: [addressB] });
  other.output(inner(addressA, addressB, "stranger"));
  await pair.clock.advance(30);
  assert.deepEqual(pair.gotB, ["one"]);
  pair.a.output(inner(addressA, addressB, "two"));
  await pair.clock.advance(30);
  assert.deepEqual(pair.gotB, ["one", "two"]);
});

test("a removed peer is gone; keys of low order are refused", async () => {
  const pair = newPair();
  pair.a.output(inner(addressA, addressB, "one"));
  await pair.clock.advance(30);
  pair.a.removePeer(pair.keyB.public);
  assert.equal(pair.a.output(inner(addressA, addressB, "two")), false);
  pair.b.output(inner(addressB, addressA, "three"));
  await pair.clock.advance(30);
  assert.deepEqual(pair.gotA, []);
  assert.throws(() => pair.a.setPeer({ publicKey: Buffer.alloc(32), allowedIps: [] }));
});
