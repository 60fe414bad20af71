/** Clients that logged in and then send anything: they lose their connection at most, and nobody else anything. */
import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { seededRand } from "#cryptorand/seeded.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually } from "#testutil/testutil.ts";
import { boxKey, nonceLength } from "../keys/box.ts";
import { newPrivateKey, type PrivateKey, publicKeyFrom } from "../keys/x25519.ts";
import { encodeFrame, type Frame, FrameReader, frameType } from "./frame.ts";
import { encodeClientInfo, ourVersion } from "./messages.ts";
import { DerpServer } from "./server.ts";

class Client {
  readonly key: PrivateKey = newPrivateKey(cryptoRand);
  readonly near: Duplex;
  readonly frames: Frame[] = [];
  readonly served: Promise<void>;
  readonly #reader = new FrameReader();

  constructor(server: DerpServer) {
    const [near, far] = duplexPair();
    this.near = near;
    near.on("data", (piece: Buffer) => this.frames.push(...this.#reader.push(piece)));
    near.on("error", () => {});
    this.served = server.accept(far);
    const shared = boxKey(this.key, publicKeyFrom(server.publicKey));
    const info = { ...ourVersion, meshKey: "", canAckPings: true, isProber: false };
    const nonce = cryptoRand.bytes(nonceLength);
    near.write(encodeClientInfo(info, { publicKey: this.key.public, boxKey: shared, nonce }));
  }

  get received(): string[] {
    return this.frames
      .filter(({ type }) => type === frameType.recvPacket)
      .map(({ payload }) => payload.subarray(32).toString());
  }
}

test("every frame type with every short payload, and random bytes, harm no other client", async () => {
  const rand = seededRand("hostile-derp");
  await using server = new DerpServer({
    key: newPrivateKey(cryptoRand),
    clock: realClock,
    rand: cryptoRand,
    log: discardLogger,
  });
  const [a, b] = [new Client(server), new Client(server)];
  for (let type = 0; type < 256; type++) {
    const hostile = new Client(server);
    for (const length of [0, 1, 7, 8, 31, 32, 33, 64]) {
      hostile.near.write(encodeFrame(type, rand.bytes(length)));
    }
    hostile.near.write(rand.bytes(1 + rand.int(64)));
    hostile.near.end();
    await hostile.served;
  }
  a.near.write(encodeFrame(frameType.sendPacket, b.key.public, Buffer.from("still here")));
  await eventually("a packet passes", () => b.received.includes("still here"));
  // Frames that are the server's to send, and mesh frames of one who has no mesh key, reach nobody.
  assert.deepEqual(b.received, ["still here"]);
  assert.deepEqual(a.received, []);
});
