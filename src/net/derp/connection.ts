/** A client's logged-in connection to one relay: frames over a byte stream. links.ts keeps one per region. */
import type { Duplex } from "node:stream";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock, Timer } from "#quartz/clock.ts";
import { boxKey, nonceLength } from "../keys/box.ts";
import { type PrivateKey, publicKeyFrom } from "../keys/x25519.ts";
import { encodeFrame, FrameReader, frameType } from "./frame.ts";
import {
  type ClientEvent,
  decodeClientEvent,
  decodeServerKey,
  encodeClientInfo,
  ourVersion,
} from "./messages.ts";

const loginTimeoutMs = 10_000;
const closeTimeoutMs = 200;
/** The server sends a keepalive each minute. */
const readTimeoutMs = 120_000;
/** Packets beyond this are dropped: TCP inside the tunnel slows down and sends them again. */
const maxBacklog = 1 << 20;

export interface ConnectionDeps {
  readonly key: PrivateKey;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly onEvent: (event: ClientEvent) => void;
  readonly meshKey?: string;
}

export class DerpConnection {
  readonly #stream: Duplex;
  readonly #deps: ConnectionDeps;
  readonly #reader = new FrameReader();
  #shared: Buffer | undefined;
  #out: Buffer[] = [];
  #outBytes = 0;
  #scheduled = false;
  #timer: Timer;
  #heardAt: number;
  #error: Error | undefined;
  #onLogin: (() => void) | undefined;
  /** When a packet was last sent, on the monotonic clock. */
  lastWrite: number;
  #pings = new Map<string, () => void>();

  private constructor(stream: Duplex, deps: ConnectionDeps) {
    this.#stream = stream;
    this.#deps = deps;
    this.#heardAt = deps.clock.monotonic();
    this.lastWrite = this.#heardAt;
    this.#timer = deps.clock.timer(loginTimeoutMs, () => this.#onTimer(), {
      tag: "derp-client",
      unref: true,
    });
    stream.on("data", (piece: Buffer) => this.#onData(piece));
    stream.on("error", (error: Error) => (this.#error ??= error));
    stream.on("end", () => stream.destroy());
    stream.once("close", () => this.#timer.stop());
  }

  /** Resolves when packets may be sent: the server's greeting has come and was answered. */
  static async open(stream: Duplex, deps: ConnectionDeps): Promise<DerpConnection> {
    const connection = new DerpConnection(stream, deps);
    await new Promise<void>((resolve, reject) => {
      connection.#onLogin = resolve;
      stream.once("close", () =>
        reject(connection.#error ?? new Error("the relay hung up before its greeting")),
      );
    });
    return connection;
  }

  /** Resolves with the reason when the connection is over. */
  closed(): Promise<Error | undefined> {
    return new Promise((resolve) => {
      if (this.#stream.closed) resolve(this.#error);
      else this.#stream.once("close", () => resolve(this.#error));
    });
  }

  /** False when it was dropped because too much waits. */
  send(destination: Buffer, packet: Buffer): boolean {
    this.lastWrite = this.#deps.clock.monotonic();
    return this.#write(encodeFrame(frameType.sendPacket, destination, packet));
  }

  notePreferred(preferred: boolean): void {
    this.#write(encodeFrame(frameType.notePreferred, Buffer.of(preferred ? 1 : 0)));
  }

  /** Round trip to the relay in milliseconds. */
  async ping(): Promise<number> {
    const data = this.#deps.rand.bytes(8);
    const start = this.#deps.clock.monotonic();
    await new Promise<void>((resolve, reject) => {
      if (this.#pings.size >= 16) return reject(new Error("too many pings wait"));
      this.#pings.set(data.toString("hex"), resolve);
      this.#stream.once("close", () => reject(new Error("the relay hung up")));
      this.#write(encodeFrame(frameType.ping, data));
    });
    return this.#deps.clock.monotonic() - start;
  }

  close(): void {
    this.#flush();
    const stream = this.#stream;
    // The relay should see an end, not a broken connection; one that does not read is left all the same.
    const timer = this.#deps.clock.timer(closeTimeoutMs, () => stream.destroy(), { unref: true });
    stream.once("finish", () => stream.destroy());
    stream.once("close", () => timer.stop());
    stream.end();
  }

  #write(frame: Buffer): boolean {
    if (this.#stream.destroyed || this.#outBytes + this.#stream.writableLength > maxBacklog) return false;
    this.#out.push(frame);
    this.#outBytes += frame.length;
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => this.#flush());
    }
    return true;
  }

  #flush(): void {
    this.#scheduled = false;
    const frames = this.#out;
    const [first] = frames;
    if (!first || this.#stream.destroyed) return;
    this.#stream.write(frames.length === 1 ? first : Buffer.concat(frames, this.#outBytes));
    this.#out = [];
    this.#outBytes = 0;
  }

  #onData(piece: Buffer): void {
    this.#heardAt = this.#deps.clock.monotonic();
    try {
      for (const { type, payload } of this.#reader.push(piece)) {
        if (this.#shared === undefined) this.#login(type, payload);
        else this.#onFrame(type, payload, this.#shared);
      }
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      this.#stream.destroy();
    }
  }

  #login(type: number, payload: Buffer): void {
    if (type !== frameType.serverKey) throw new Error(`the relay began with frame type ${type}`);
    const { key, rand, meshKey = "" } = this.#deps;
    const shared = boxKey(key, publicKeyFrom(decodeServerKey(payload)));
    this.#shared = shared;
    const info = { ...ourVersion, meshKey, canAckPings: true, isProber: false };
    const nonce = rand.bytes(nonceLength);
    this.#stream.write(encodeClientInfo(info, { publicKey: key.public, boxKey: shared, nonce }));
    this.#onLogin?.();
  }

  #onFrame(type: number, payload: Buffer, shared: Buffer): void {
    const event = decodeClientEvent(type, payload, () => shared);
    if (!event) return;
    if (event.type === "ping") this.#write(encodeFrame(frameType.pong, event.data));
    else if (event.type === "pong") {
      const name = event.data.toString("hex");
      this.#pings.get(name)?.();
      this.#pings.delete(name);
    } else this.#deps.onEvent(event);
  }

  #onTimer(): void {
    const silent = this.#deps.clock.monotonic() - this.#heardAt;
    if (this.#shared === undefined || silent >= readTimeoutMs) {
      this.#error = new Error(this.#shared === undefined ? "no greeting within 10 s" : "the relay is silent");
      this.#stream.destroy();
      return;
    }
    this.#timer.reset(readTimeoutMs - silent);
  }
}
