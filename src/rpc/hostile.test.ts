/** Peers that send anything: a session ends, it does not throw, hang or take memory. */
import assert from "node:assert/strict";
import { duplexPair, type Duplex } from "node:stream";
import { test } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { realClock } from "#quartz/clock.ts";
import { eventually } from "#testutil/testutil.ts";
import { PacketReader } from "./drpc/reader.ts";
import { drpcRouter, serveSession } from "./drpc/server.ts";
import { Tailnet } from "./gen/tailnet_pb.js";
import { YamuxSession } from "./yamux/session.ts";

const router = drpcRouter(Tailnet, { postTelemetry: () => ({}) });

interface Victim {
  readonly near: Duplex;
  readonly session: YamuxSession;
  readonly served: Promise<void>;
}

function victim(): Victim {
  const [near, far] = duplexPair();
  near.on("error", () => {});
  near.resume();
  const session = YamuxSession.start(far, { role: "server", clock: realClock });
  return { near, session, served: serveSession(session, router).catch(() => {}) };
}

/** version, type, flags, stream, length */
function frame(
  type: number,
  flags: number,
  stream: number,
  length: number,
  body: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(type, 1);
  head.writeUInt16BE(flags, 2);
  head.writeUInt32BE(stream, 4);
  head.writeUInt32BE(length, 8);
  return Buffer.concat([head, body]);
}

test("random bytes, whole frames of random fields, and frames cut short end the session", async () => {
  const rand = seededRand("hostile-yamux");
  for (let round = 0; round < 200; round++) {
    const { near, session, served } = victim();
    const bytes: Buffer[] = [];
    for (let n = 0; n < 20; n++) {
      const kind = rand.int(3);
      if (kind === 0) bytes.push(rand.bytes(1 + rand.int(40)));
      else {
        const body = rand.bytes(rand.int(64));
        const length = kind === 1 ? body.length : rand.int(2 ** 32);
        bytes.push(frame(rand.int(5), rand.int(16), rand.int(6), length, body));
      }
    }
    near.write(Buffer.concat(bytes));
    near.end();
    await served;
    session.close();
    assert.ok(session.signal.aborted);
  }
});

test("streams beyond the backlog are reset, and data beyond the window ends the session", async () => {
  const { near, session } = victim();
  const received: Buffer[] = [];
  near.on("data", (part: Buffer) => received.push(part));
  for (let n = 0; n < 2_000; n++) near.write(frame(1, 1, 1 + 2 * n, 0));
  near.write(frame(0, 0, 1, 300_000, Buffer.alloc(300_000)));
  await eventually("the session ends", () => session.signal.aborted);
  // What it answers to a flood is no more than the flood.
  assert.ok(Buffer.concat(received).length <= 2_000 * 24 + 100);
});

test("a call of garbage answers an error or ends; the session goes on", async () => {
  const rand = seededRand("hostile-drpc");
  const { near, session, served } = victim();
  for (let n = 0; n < 100; n++) {
    const body = rand.bytes(1 + rand.int(200));
    const stream = 1 + 2 * n;
    near.write(frame(0, 1, stream, body.length, body));
    near.write(frame(1, 4, stream, 0));
  }
  const pong = frame(2, 2, 0, 4711).toString("latin1");
  let received = "";
  near.on("data", (part: Buffer) => (received += part.toString("latin1")));
  near.write(frame(2, 1, 0, 4711));
  await eventually("a ping behind them is answered", () => received.includes(pong));
  assert.equal(session.signal.aborted, false);
  near.end();
  await served;
});

test("the DRPC reader gives packets or one error for any bytes, and keeps no more than a packet", () => {
  const rand = seededRand("hostile-reader");
  for (let round = 0; round < 500; round++) {
    const reader = new PacketReader();
    try {
      for (let n = 0; n < 50; n++) {
        for (const packet of reader.push(rand.bytes(1 + rand.int(60)))) {
          assert.ok(packet.data.length <= 4 << 20);
        }
      }
    } catch (error) {
      assert.ok(error instanceof Error && error.message.length < 500);
    }
  }
});
