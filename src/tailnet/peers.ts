/**
 * What a peer knows of others by what the coordinator tells (spec network §7): when a peer is programmed into the data
 * plane, when it is forgotten. Clients wait for an agent's readiness before they speak to it, for at most 5 s.
 */
import type { Clock, Timer } from "#quartz/clock.ts";
import {
  type CoordinateResponse_PeerUpdate,
  CoordinateResponse_PeerUpdate_Kind as Kind,
} from "#rpc/gen/tailnet_pb.js";
import type { Logger } from "#slog/slog.ts";
import { uuidText } from "./addresses.ts";
import { decodeNode, type TailnetNode } from "./node.ts";

const readyTimeoutMs = 5_000;
/** A lost peer is forgotten this long after its last handshake: traffic outlives the control connection. */
const lostTimeoutMs = 15 * 60_000;

/** What the data plane does for the table; TailnetConn fits. */
export interface DataPlane {
  setPeer(peer: { readonly node: TailnetNode; readonly keepalive: boolean }): void;
  removePeer(publicKey: Buffer): void;
  warmUp(publicKey: Buffer): void;
  lastHandshake(publicKey: Buffer): Date | undefined;
}

interface Entry {
  readonly id: string;
  node: TailnetNode | undefined;
  programmed: Buffer | undefined;
  ready: boolean;
  lost: boolean;
  readyTimer: Timer | undefined;
  lostTimer: Timer | undefined;
}

export interface PeerTableOptions {
  readonly plane: DataPlane;
  readonly clock: Clock;
  readonly log: Logger;
}

export class PeerTable implements Disposable {
  readonly #options: PeerTableOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #destinations = new Set<string>();

  constructor(options: PeerTableOptions) {
    this.#options = options;
  }

  /** A peer that we open a tunnel to: it is programmed when it is ready for us. The mark outlives the peer. */
  setDestination(id: string): void {
    this.#destinations.add(id);
  }

  removeDestination(id: string): void {
    this.#destinations.delete(id);
    this.#remove(id);
  }

  /** Takes an update; true where it programmed or changed a peer of this id. */
  update(update: CoordinateResponse_PeerUpdate): boolean {
    const id = uuidText(update.id);
    if (id === undefined) return false;
    switch (update.kind) {
      case Kind.NODE:
        return this.#onNode(id, update);
      case Kind.READY_FOR_HANDSHAKE: {
        const entry = this.#entry(id);
        entry.ready = true;
        return this.#program(entry);
      }
      case Kind.DISCONNECTED:
        this.#remove(id);
        return false;
      case Kind.LOST: {
        const entry = this.#entries.get(id);
        if (entry) this.#lose(entry);
        return false;
      }
      default:
        return false;
    }
  }

  /** The control connection is gone: nobody is removed at once. */
  allLost(): void {
    for (const entry of this.#entries.values()) this.#lose(entry);
  }

  [Symbol.dispose](): void {
    for (const id of this.#entries.keys()) this.#remove(id);
  }

  #onNode(id: string, update: CoordinateResponse_PeerUpdate): boolean {
    const { log, clock } = this.#options;
    if (!update.node) return false;
    let node: TailnetNode;
    try {
      node = decodeNode(update.node);
    } catch (error) {
      log.warn("a peer announced a broken node", { peer: id, error });
      return false;
    }
    if (node.preferredDerp === 0) {
      log.warn("a peer announced itself without a relay", { peer: id });
      return false;
    }
    const entry = this.#entry(id);
    entry.node = node;
    entry.lost = false;
    entry.lostTimer?.stop();
    entry.lostTimer = undefined;
    if (this.#destinations.has(id) && !entry.ready) {
      entry.readyTimer ??= clock.timer(
        readyTimeoutMs,
        () => {
          entry.ready = true;
          this.#program(entry);
        },
        { tag: "ready-for-handshake", unref: true },
      );
      return false;
    }
    return this.#program(entry);
  }

  #entry(id: string): Entry {
    const known = this.#entries.get(id);
    if (known) return known;
    const entry: Entry = {
      id,
      node: undefined,
      programmed: undefined,
      ready: false,
      lost: false,
      readyTimer: undefined,
      lostTimer: undefined,
    };
    this.#entries.set(id, entry);
    return entry;
  }

  #program(entry: Entry): boolean {
    const { plane, log } = this.#options;
    const { node, id } = entry;
    const destination = this.#destinations.has(id);
    if (!node || (destination && !entry.ready)) return false;
    entry.readyTimer?.stop();
    entry.readyTimer = undefined;
    if (entry.programmed && !entry.programmed.equals(node.key)) plane.removePeer(entry.programmed);
    const first = !entry.programmed?.equals(node.key);
    try {
      plane.setPeer({ node, keepalive: destination });
    } catch (error) {
      log.warn("a peer cannot be programmed", { peer: id, error });
      return false;
    }
    entry.programmed = node.key;
    if (destination && first) plane.warmUp(node.key);
    return true;
  }

  #lose(entry: Entry): void {
    entry.lost = true;
    if (entry.lostTimer) return;
    const { clock, plane } = this.#options;
    const check = (): void => {
      entry.lostTimer = undefined;
      if (!entry.lost) return;
      const shaken = entry.programmed ? plane.lastHandshake(entry.programmed) : undefined;
      const left = (shaken?.getTime() ?? 0) + lostTimeoutMs - clock.now().getTime();
      if (left <= 0) this.#remove(entry.id);
      else entry.lostTimer = clock.timer(left, check, { tag: "lost-peer", unref: true });
    };
    const shaken = entry.programmed ? plane.lastHandshake(entry.programmed) : undefined;
    if (!shaken) return check();
    const left = shaken.getTime() + lostTimeoutMs - clock.now().getTime();
    entry.lostTimer = clock.timer(Math.max(0, left), check, { tag: "lost-peer", unref: true });
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    entry.readyTimer?.stop();
    entry.lostTimer?.stop();
    if (entry.programmed) this.#options.plane.removePeer(entry.programmed);
  }
}
