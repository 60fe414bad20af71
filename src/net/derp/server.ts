/**
 * DERP relay (spec network §11.2): passes packets between clients by public key, and never sees their plaintext.
 * coderd embeds one; http.ts brings connections. Promises: no client can make it hold more than its queues, a slow
 * reader harms only itself, and who is not admitted can neither send nor receive.
 */
import { timingSafeEqual } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { looksLikeDisco } from "../disco/message.ts";
import type { PrivateKey } from "../keys/x25519.ts";
import {
  DerpProtocolError,
  encodeFrame,
  type Frame,
  frameType,
  keyLength,
  maxPacket,
  peerGoneReason,
} from "./frame.ts";
import { encodePeerGone, encodeRestarting } from "./messages.ts";
import { ServerClient } from "./server-client.ts";

const maxPing = 1000;
/** PeerGone answers to disco packets for unknown peers: one a second, three at once. */
const goneBurst = 3;
const goneEveryMs = 1000;
/** A client that nobody admitted by then is sent away. */
const admissionMs = 120_000;

export interface DerpServerOptions {
  readonly key: PrivateKey;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  /** Shared by the relays of a deployment; without one nobody may mesh. */
  readonly meshKey?: string;
  /** Whether packets from and to this key are passed on. @default all */
  readonly admits?: (publicKey: Buffer) => boolean;
  readonly maxConnections?: number;
}

export interface DerpCounters {
  accepts: number;
  bytesReceived: number;
  bytesSent: number;
  packetsReceived: number;
  packetsSent: number;
  packetsForwardedIn: number;
  gotPing: number;
  sentPong: number;
  unknownFrames: number;
  peerGoneDisconnected: number;
  peerGoneNotHere: number;
  readonly dropped: Record<DropReason, number>;
}

export type DropReason =
  | "unknown_dest"
  | "unknown_dest_on_fwd"
  | "gone_disconnected"
  | "queue_head"
  | "not_admitted";

interface Budget {
  tokens: number;
  at: number;
}

export class DerpServer implements AsyncDisposable {
  readonly #options: DerpServerOptions;
  readonly #connections = new Set<ServerClient>();
  #closed = false;
  /** All connections of a key; the last is the one that sent last, and gets the packets. */
  readonly #clients = new Map<string, ServerClient[]>();
  readonly #watchers = new Set<ServerClient>();
  readonly #budgets = new WeakMap<ServerClient, Budget>();
  readonly counters: DerpCounters = {
    accepts: 0,
    bytesReceived: 0,
    bytesSent: 0,
    packetsReceived: 0,
    packetsSent: 0,
    packetsForwardedIn: 0,
    gotPing: 0,
    sentPong: 0,
    unknownFrames: 0,
    peerGoneDisconnected: 0,
    peerGoneNotHere: 0,
    dropped: {
      unknown_dest: 0,
      unknown_dest_on_fwd: 0,
      gone_disconnected: 0,
      queue_head: 0,
      not_admitted: 0,
    },
  };

  constructor(options: DerpServerOptions) {
    this.#options = options;
  }

  get publicKey(): Buffer {
    return this.#options.key.public;
  }

  /** Logged-in keys and open connections. */
  get size(): { readonly clients: number; readonly connections: number } {
    return { clients: this.#clients.size, connections: this.#connections.size };
  }

  /** Serves a connection whose next bytes are frames. Resolves when it is over. */
  accept(stream: Duplex): Promise<void> {
    if (this.#closed || this.#connections.size >= (this.#options.maxConnections ?? 100_000)) {
      stream.destroy();
      return Promise.resolve();
    }
    this.counters.accepts++;
    const { key, clock, rand } = this.#options;
    const client = new ServerClient(stream, {
      key,
      clock,
      rand,
      onLogin: (who) => this.#onLogin(who),
      onFrame: (who, frame) => this.#onFrame(who, frame),
      onDrop: (reason) => this.counters.dropped[reason]++,
      onSent: (bytes) => (this.counters.bytesSent += bytes),
    });
    this.#connections.add(client);
    client.onClose(() => this.#onClose(client));
    return client.done();
  }

  /** Tells all clients when to come back, then hangs up. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever comes back at once must not hold up the end of the server.
    this.#closed = true;
    const open = [...this.#connections];
    const gone = open.map((client) => client.done());
    for (const client of open) {
      if (client.info) client.sendControl(encodeRestarting(this.#options.rand.int(500), 30_000));
    }
    // Notices leave with the microtasks of this turn.
    await Promise.resolve();
    for (const client of open) client.close();
    await Promise.all(gone);
  }

  #onLogin(client: ServerClient): void {
    const same = this.#clients.get(client.name);
    if (same) same.push(client);
    else {
      this.#clients.set(client.name, [client]);
      for (const watcher of this.#watchers) {
        watcher.sendControl(encodeFrame(frameType.peerPresent, client.key));
      }
    }
    const { admits, clock } = this.#options;
    if (!admits) return;
    const timer = clock.timer(
      admissionMs,
      () => {
        if (!admits(client.key)) client.close(new Error("nobody vouches for this key"));
      },
      { tag: "derp-admission", unref: true },
    );
    client.onClose(() => timer.stop());
  }

  #onClose(client: ServerClient): void {
    this.#connections.delete(client);
    this.#watchers.delete(client);
    if (!client.info) return;
    const left = (this.#clients.get(client.name) ?? []).filter((other) => other !== client);
    if (left.length > 0) {
      this.#clients.set(client.name, left);
      return;
    }
    this.#clients.delete(client.name);
    const notice = encodePeerGone(client.key, peerGoneReason.disconnected);
    for (const name of client.sentTo) {
      const peer = this.#active(name);
      if (!peer) continue;
      this.counters.peerGoneDisconnected++;
      peer.sendControl(notice);
    }
    for (const watcher of this.#watchers) watcher.sendControl(notice);
  }

  #active(name: string): ServerClient | undefined {
    return this.#clients.get(name)?.at(-1);
  }

  #onFrame(client: ServerClient, { type, payload }: Frame): void {
    this.counters.bytesReceived += payload.length + 5;
    switch (type) {
      case frameType.sendPacket:
        return this.#onSend(client, payload);
      case frameType.ping:
        if (payload.length < 8 || payload.length > maxPing) {
          throw new DerpProtocolError("a ping of odd length");
        }
        this.counters.gotPing++;
        this.counters.sentPong++;
        return client.sendControl(encodeFrame(frameType.pong, payload.subarray(0, 8)));
      case frameType.notePreferred:
        if (payload.length !== 1) throw new DerpProtocolError("a note of odd length");
        client.home = payload.readUInt8(0) !== 0;
        return undefined;
      case frameType.watchConns:
      case frameType.closePeer:
      case frameType.forwardPacket:
        return this.#onMesh(client, type, payload);
      case frameType.pong:
        return undefined;
      default:
        this.counters.unknownFrames++;
        return undefined;
    }
  }

  #onSend(client: ServerClient, payload: Buffer): void {
    if (payload.length < keyLength || payload.length > keyLength + maxPacket) {
      throw new DerpProtocolError(`a packet frame of ${payload.length} bytes`);
    }
    this.counters.packetsReceived++;
    const packet = payload.subarray(keyLength);
    const disco = looksLikeDisco(packet);
    const to = payload.toString("latin1", 0, keyLength);
    const same = this.#clients.get(client.name);
    if (same && same.length > 1 && same.at(-1) !== client) {
      same.splice(same.indexOf(client), 1);
      same.push(client);
    }
    if (!this.#isAdmitted(client)) {
      this.counters.dropped.not_admitted++;
      return;
    }
    const peer = this.#active(to);
    if (!peer || !this.#isAdmitted(peer)) {
      this.counters.dropped.unknown_dest++;
      if (disco && this.#mayTell(client)) {
        this.counters.peerGoneNotHere++;
        client.sendControl(encodePeerGone(payload.subarray(0, keyLength), peerGoneReason.notHere));
      }
      return;
    }
    client.noteSentTo(to);
    this.counters.packetsSent++;
    peer.sendPacket(client.name, encodeFrame(frameType.recvPacket, client.key, packet), disco);
  }

  #isAdmitted(client: ServerClient): boolean {
    return this.#options.admits?.(client.key) ?? true;
  }

  #mayTell(client: ServerClient): boolean {
    const now = this.#options.clock.monotonic();
    const budget = this.#budgets.get(client) ?? { tokens: goneBurst, at: now };
    budget.tokens = Math.min(goneBurst, budget.tokens + (now - budget.at) / goneEveryMs);
    budget.at = now;
    this.#budgets.set(client, budget);
    if (budget.tokens < 1) return false;
    budget.tokens--;
    return true;
  }

  #onMesh(client: ServerClient, type: number, payload: Buffer): void {
    if (!this.#isMesh(client)) throw new DerpProtocolError("insufficient permissions");
    switch (type) {
      case frameType.watchConns:
        if (payload.length !== 0) throw new DerpProtocolError("a watch of odd length");
        this.#watchers.add(client);
        for (const [connection] of this.#clients.values()) {
          if (connection) client.sendControl(encodeFrame(frameType.peerPresent, connection.key));
        }
        return;
      case frameType.closePeer: {
        if (payload.length !== keyLength) throw new DerpProtocolError("a close of odd length");
        for (const peer of this.#clients.get(payload.toString("latin1", 0, keyLength)) ?? []) peer.close();
        return;
      }
      default: {
        if (payload.length < 2 * keyLength || payload.length > 2 * keyLength + maxPacket) {
          throw new DerpProtocolError(`a forwarded packet frame of ${payload.length} bytes`);
        }
        this.counters.packetsForwardedIn++;
        const source = payload.subarray(0, keyLength);
        const packet = payload.subarray(2 * keyLength);
        const peer = this.#active(payload.toString("latin1", keyLength, 2 * keyLength));
        if (!peer) {
          this.counters.dropped.unknown_dest_on_fwd++;
          return;
        }
        const frame = encodeFrame(frameType.recvPacket, source, packet);
        peer.sendPacket(source.toString("latin1"), frame, looksLikeDisco(packet));
      }
    }
  }

  #isMesh(client: ServerClient): boolean {
    const ours = Buffer.from(this.#options.meshKey ?? "");
    const theirs = Buffer.from(client.info?.meshKey ?? "");
    return ours.length > 0 && ours.length === theirs.length && timingSafeEqual(ours, theirs);
  }
}
