import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PacketReader } from "./reader.ts";
import { DrpcProtocolError, encodePacket, type Packet } from "./wire.ts";

function packet(part: Partial<Packet>): Packet {
  return { kind: 2, control: false, stream: 1n, message: 1n, data: Buffer.alloc(0), ...part };
}

test("a packet survives any split and any cut", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 50 }),
      (data, split, step) => {
        const sent = packet({ data: Buffer.from(data), message: 300n });
        const bytes = encodePacket(sent, split);
        const reader = new PacketReader();
        const got: Packet[] = [];
        for (let at = 0; at < bytes.length; at += step) {
          got.push(...reader.push(bytes.subarray(at, at + step)));
        }
        assert.deepEqual(got, [sent]);
      },
    ),
  );
});

test("a frame over the limit is refused before its data", () => {
  const reader = new PacketReader(10);
  assert.deepEqual([...reader.push(Buffer.from("0501010a", "hex"))], []);
  assert.throws(() => [...new PacketReader(10).push(Buffer.from("0501010b", "hex"))], DrpcProtocolError);
});

test("many frames of a packet cannot pass the limit together", () => {
  const reader = new PacketReader(10);
  const frame = Buffer.from("04010106aaaaaaaaaaaa", "hex");
  assert.deepEqual([...reader.push(frame)], []);
  assert.throws(() => [...reader.push(frame)], /data overflow/);
});

test("a changed kind inside a packet and a reused id are errors", () => {
  assert.throws(
    () => [...new PacketReader().push(Buffer.from("04010101610701010162", "hex"))],
    /kind changed/,
  );
  assert.throws(
    () => [...new PacketReader().push(Buffer.from("05010101610501010162", "hex"))],
    /monotonicity/,
  );
});
