import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplayWindow } from "./replay.ts";
import { openTransport, sealTransport, transportCounter, unpad } from "./transport.ts";

test("the replay window accepts each counter once, in any order within the window", () => {
  const window = new ReplayWindow();
  for (const counter of [0, 1, 5, 3, 2, 4]) assert.ok(window.accept(counter), `first ${counter}`);
  for (const counter of [0, 1, 2, 3, 4, 5]) assert.ok(!window.accept(counter), `again ${counter}`);
  assert.ok(window.accept(10_000));
  assert.ok(!window.accept(10_000));
  assert.ok(window.accept(10_000 - 8128));
  assert.ok(!window.accept(10_000 - 8129), "too old");
  assert.ok(window.accept(10_000 + 100_000), "a jump beyond the ring clears it");
  assert.ok(window.accept(10_000 + 99_999));
  assert.ok(!window.accept(10_000));
});

test("a window that starts high accepts what is just below", () => {
  const window = new ReplayWindow();
  assert.ok(window.accept(2 ** 40));
  assert.ok(window.accept(2 ** 40 - 31));
  assert.ok(!window.accept(2 ** 40 - 31));
});

test("transport packets carry 64-bit counters and refuse a flipped bit anywhere", () => {
  const key = Buffer.alloc(32, 7);
  const inner = Buffer.alloc(57, 1);
  inner.writeUInt8(0x60, 0);
  inner.writeUInt16BE(17, 4);
  const counter = 2 ** 35 + 3;
  const packet = sealTransport(key, 0xfeedbeef, counter, inner);
  assert.equal(packet.length, 32 + 64);
  assert.equal(transportCounter(packet), counter);
  const plaintext = openTransport(key, packet);
  assert.ok(plaintext);
  assert.deepEqual(unpad(plaintext), inner);
  for (let at = 8; at < packet.length; at++) {
    const forged = Buffer.from(packet);
    forged.writeUInt8(forged.readUInt8(at) ^ 1, at);
    assert.equal(openTransport(key, forged), undefined, `byte ${at}`);
  }
  assert.equal(openTransport(key, packet.subarray(0, 20)), undefined);
});

test("unpad takes only packets whose header fits", () => {
  assert.equal(unpad(Buffer.alloc(0)), undefined);
  assert.equal(unpad(Buffer.alloc(64, 0x30)), undefined);
  const long = Buffer.alloc(48);
  long.writeUInt8(0x60, 0);
  long.writeUInt16BE(9, 4);
  assert.equal(unpad(long), undefined, "the length reaches beyond the packet");
});
