/**
 * One connection at the server: login, reading frames, and a writer with bounded queues. The server (server.ts) decides
 * what frames do; this class knows the bytes.
 */
import type { Duplex } from "node:stream";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock, Timer } from "#quartz/clock.ts";
import { boxKey, nonceLength } from "../keys/box.ts";
import { type PrivateKey, publicKeyFrom } from "../keys/x25519.ts";
import {
  DerpProtocolError,
  encodeFrame,
  type Frame,
  FrameReader,
  frameType,
  keyLength,
  serverLimit,
} from "./frame.ts";
import {
  type ClientInfo,
  encodeServerInfo,
  encodeServerKey,
  openClientInfo,
  ourVersion,
  splitClientInfo,
} from "./messages.ts";
import { FairQueue } from "./queue.ts";

const loginTimeoutMs = 10_000;
const writeTimeoutMs = 2_000;
const keepAliveMs = 60_000;
const keepAliveJitterMs = 5_000;
/** As many packets wait as a burst of a fast sender brings while the receiver's socket is busy. */
const queueLimit = 512;
/** Greetings, pongs and notices beyond this mean a client that does not read. */
const controlLimit = 1024;
const batchBytes = 64 << 10;
/** Peers that are told when this one leaves. */
const sentToLimit = 4096;

export interface ServerClientDeps {
  readonly key: PrivateKey;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly onLogin: (client: ServerClient) => void;
  readonly onFrame: (client: ServerClient, frame: Frame) => void;
  readonly onDrop: (reason: "queue_head" | "gone_disconnected") => void;
  readonly onSent: (bytes: number) => void;
}

export class ServerClient {
  readonly #stream: Duplex;
  readonly #deps: ServerClientDeps;
  readonly #reader = new FrameReader(serverLimit);
  readonly #control: Buffer[] = [];
  readonly #disco = new FairQueue(queueLimit);
  readonly #packets = new FairQueue(queueLimit);
  #timer: Timer;
  #writeTimer: Timer | undefined;
  #blocked = false;
  #flushing = false;
  #closed = false;

  /** 32 bytes and their hex form, after login. */
  key: Buffer = Buffer.alloc(keyLength);
  name = "";
  info: ClientInfo | undefined;
  /** Whether it named this region its home. */
  home = false;
  readonly sentTo = new Set<string>();
  /** Why the server hung up, where it was not the client. */
  closedBecause: Error | undefined;
  /** When the connection was made, on the monotonic clock. */
  readonly since: number;

  constructor(stream: Duplex, deps: ServerClientDeps) {
    this.#stream = stream;
    this.#deps = deps;
    this.since = deps.clock.monotonic();
    this.#timer = deps.clock.timer(loginTimeoutMs, () => this.close(new Error("no login within 10 s")), {
      tag: "derp-login",
      unref: true,
    });
    stream.on("data", (piece: Buffer) => this.#onData(piece));
    stream.on("end", () => {
      this.close();
      // Who has hung up reads nothing more; waiting for it would only delay a shutdown.
      stream.destroy();
    });
    stream.on("error", () => this.close());
    stream.on("drain", () => {
      this.#blocked = false;
      this.#writeTimer?.stop();
      this.#flush();
    });
    this.sendControl(encodeServerKey(deps.key.public));
  }

  /** Resolves when the connection is over. */
  done(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.closed) resolve();
      else this.#stream.once("close", resolve);
    });
  }

  onClose(fn: () => void): void {
    this.#stream.once("close", fn);
  }

  /** Frames that are never dropped. */
  sendControl(frame: Buffer): void {
    if (this.#control.length >= controlLimit) return this.close(new Error("the client does not read"));
    this.#control.push(frame);
    this.#schedule();
  }

  /** A packet from another client; dropped fairly when too many wait. */
  sendPacket(from: string, frame: Buffer, disco: boolean): void {
    if (this.#closed) return this.#deps.onDrop("gone_disconnected");
    const queue = disco ? this.#disco : this.#packets;
    if (queue.push({ from, frame })) this.#deps.onDrop("queue_head");
    this.#schedule();
  }

  noteSentTo(name: string): void {
    if (this.sentTo.size < sentToLimit) this.sentTo.add(name);
  }

  /** Sends what waits of greetings and notices if the socket takes it at once, then hangs up. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#timer.stop();
    this.#writeTimer?.stop();
    if (!this.#blocked) for (const frame of this.#control) this.#stream.write(frame);
    this.#closed = true;
    this.closedBecause = error;
    this.#stream.end();
    const timer = this.#deps.clock.timer(writeTimeoutMs, () => this.#stream.destroy(), { unref: true });
    this.#stream.once("finish", () => this.#stream.destroy());
    this.#stream.once("close", () => timer.stop());
    if (this.#blocked) this.#stream.destroy();
  }

  #onData(piece: Buffer): void {
    try {
      for (const frame of this.#reader.push(piece)) {
        if (this.#closed) return;
        if (this.info === undefined) this.#login(frame);
        else this.#deps.onFrame(this, frame);
      }
    } catch (error) {
      this.close(error instanceof Error ? error : new Error("the connection failed"));
    }
  }

  #login(frame: Frame): void {
    if (frame.type !== frameType.clientInfo) {
      throw new DerpProtocolError(`the first frame has type ${frame.type}, expected client info`);
    }
    const { publicKey, nonce, box } = splitClientInfo(frame.payload);
    const { key, clock, rand } = this.#deps;
    const shared = boxKey(key, publicKeyFrom(publicKey));
    this.info = openClientInfo(shared, nonce, box);
    this.key = publicKey;
    this.name = publicKey.toString("latin1");
    this.#timer.stop();
    const info = { ...ourVersion, bytesPerSecond: 0, bytesBurst: 0 };
    this.sendControl(encodeServerInfo(info, shared, rand.bytes(nonceLength)));
    const every = (): number => keepAliveMs + rand.int(keepAliveJitterMs);
    this.#timer = clock.timer(
      every(),
      () => {
        this.sendControl(encodeFrame(frameType.keepAlive));
        if (!this.#closed) this.#timer.reset(every());
      },
      { tag: "derp-keepalive", unref: true },
    );
    this.#deps.onLogin(this);
  }

  /** Frames of one turn of the event loop leave together. */
  #schedule(): void {
    if (this.#flushing || this.#blocked || this.#closed) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#blocked && !this.#closed) {
      const batch: Buffer[] = [];
      let size = 0;
      while (size < batchBytes) {
        const frame = this.#control.shift() ?? this.#disco.shift()?.frame ?? this.#packets.shift()?.frame;
        if (!frame) break;
        batch.push(frame);
        size += frame.length;
      }
      const [first] = batch;
      if (!first) return;
      this.#deps.onSent(size);
      if (!this.#stream.write(batch.length === 1 ? first : Buffer.concat(batch, size))) this.#block();
    }
  }

  #block(): void {
    this.#blocked = true;
    this.#writeTimer?.stop();
    this.#writeTimer = this.#deps.clock.timer(
      writeTimeoutMs,
      () => this.close(new Error("a write took longer than 2 s")),
      { tag: "derp-write", unref: true },
    );
  }
}
