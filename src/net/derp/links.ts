/**
 * A peer's connections to relays: always one to its home region, others while they are used. Reconnects with backoff,
 * and switches a region to WebSocket when something refuses the upgrade.
 */
import type { Duplex } from "node:stream";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { DERPMap, DERPMap_Region } from "#rpc/gen/tailnet_pb.js";
import type { Logger } from "#slog/slog.ts";
import { comebackDelay } from "#util/comeback.ts";
import type { PrivateKey } from "../keys/x25519.ts";
import { DerpConnection } from "./connection.ts";
import { dialRelay, UpgradeRefused } from "./dial.ts";
import { sameDerpMap } from "./map.ts";

const backoff = { firstMs: 50, maxMs: 5_000 };
const dialTimeoutMs = 10_000;
const idleCloseMs = 60_000;
const idleSweepMs = 15_000;
/** Packets that wait for a connection. */
const pendingLimit = 64;

export type RegionDialer = (
  region: DERPMap_Region,
  websocket: boolean,
  signal: AbortSignal,
) => Promise<Duplex>;

export interface LinksOptions {
  readonly key: PrivateKey;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly headers?: Readonly<Record<string, string>>;
  readonly forceWebsockets?: boolean;
  /** How a region is reached; the server reaches its own relay in memory. @default over HTTP */
  readonly dial?: RegionDialer;
  readonly onPacket: (regionId: number, source: Buffer, packet: Buffer) => void;
  /** A region's connection stands again, or for the first time. */
  readonly onUp?: (regionId: number, latencyMs: number) => void;
  /** The set of regions reached by WebSocket changed. */
  readonly onForcedWebsocket?: () => void;
}

interface Link {
  readonly region: DERPMap_Region;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  connection: DerpConnection | undefined;
  pending: { readonly destination: Buffer; readonly packet: Buffer }[];
}

export class DerpLinks implements AsyncDisposable {
  readonly #options: LinksOptions;
  readonly #links = new Map<number, Link>();
  readonly #forced = new Map<number, string>();
  readonly #stop = new AbortController();
  readonly #sweeping: Promise<void>;
  #map: DERPMap | undefined;
  #home = 0;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#sweeping = this.#sweep();
  }

  get home(): number {
    return this.#home;
  }

  /** Region → why it is reached by WebSocket. */
  forcedWebsocket(): Record<number, string> {
    return Object.fromEntries(this.#forced);
  }

  isUp(regionId: number): boolean {
    return this.#links.get(regionId)?.connection !== undefined;
  }

  /** Connections to regions that changed are made anew. */
  setMap(map: DERPMap): void {
    const before = this.#map;
    this.#map = map;
    for (const [id, link] of this.#links) {
      const region = map.regions[id];
      if (before && region && sameRegion(before, map, id)) continue;
      this.#close(id, link);
      if (region && id === this.#home) this.#open(id);
    }
  }

  setHome(regionId: number): void {
    if (this.#home === regionId) return;
    this.#links.get(this.#home)?.connection?.notePreferred(false);
    this.#home = regionId;
    if (regionId === 0) return;
    const link = this.#links.get(regionId) ?? this.#open(regionId);
    link?.connection?.notePreferred(true);
  }

  /** Sends through a region, connecting to it where necessary. False when the packet was dropped. */
  send(regionId: number, destination: Buffer, packet: Buffer): boolean {
    const link = this.#links.get(regionId) ?? this.#open(regionId);
    if (!link) return false;
    if (link.connection) return link.connection.send(destination, packet);
    if (link.pending.length >= pendingLimit) link.pending.shift();
    link.pending.push({ destination, packet });
    return true;
  }

  async ping(regionId: number): Promise<number | undefined> {
    return this.#links.get(regionId)?.connection?.ping();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the network is closed"));
    const open = [...this.#links.values()];
    for (const [id, link] of this.#links) this.#close(id, link);
    await Promise.all([this.#sweeping, ...open.map((link) => link.done)]);
  }

  #open(regionId: number): Link | undefined {
    const region = this.#map?.regions[regionId];
    if (!region || this.#stop.signal.aborted) return undefined;
    const stop = new AbortController();
    const link: Link = {
      region,
      stop,
      connection: undefined,
      pending: [],
      done: Promise.resolve().then(() => this.#run(regionId, link)),
    };
    this.#links.set(regionId, link);
    return link;
  }

  #close(regionId: number, link: Link): void {
    this.#links.delete(regionId);
    link.stop.abort(new Error("the relay is not needed"));
    link.connection?.close();
  }

  async #run(regionId: number, link: Link): Promise<void> {
    const { clock, rand, log } = this.#options;
    const { signal } = link.stop;
    let attempt = 0;
    while (!signal.aborted) {
      let wait = comebackDelay(attempt++, rand, backoff);
      try {
        const asked = await this.#session(regionId, link);
        attempt = 0;
        // Who loses all its clients at once is spared the storm.
        wait = asked === undefined ? comebackDelay(0, rand, backoff) : asked + rand.int(asked + 1);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof UpgradeRefused) {
          this.#forced.set(regionId, error.message);
          this.#options.onForcedWebsocket?.();
          wait = 0;
        }
        log.debug("a relay cannot be reached", { region: regionId, error, retry_ms: wait });
      }
      await clock.sleep(wait, { signal, tag: "derp-backoff", unref: true }).catch(() => {});
    }
  }

  /** One connection from dial to end. Gives how long the relay asked to wait. */
  async #session(regionId: number, link: Link): Promise<number | undefined> {
    const { clock, key, rand, log } = this.#options;
    let waitMs: number | undefined;
    const timeout = new AbortController();
    const timer = clock.timer(
      dialTimeoutMs,
      () => timeout.abort(new Error("the relay did not answer within 10 s")),
      {
        unref: true,
      },
    );
    const signal = AbortSignal.any([link.stop.signal, timeout.signal]);
    const start = clock.monotonic();
    const websocket = this.#options.forceWebsockets === true || this.#forced.has(regionId);
    try {
      const stream = await this.#dial(link.region, websocket, signal);
      const onAbort = (): void => void stream.destroy();
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) stream.destroy();
      link.connection = await DerpConnection.open(stream, {
        key,
        clock,
        rand,
        onEvent: (event) => {
          if (event.type === "recv_packet") this.#options.onPacket(regionId, event.key, event.packet);
          else if (event.type === "health" && event.problem !== "") {
            log.warn("a relay reports a problem", { region: regionId, problem: event.problem });
          } else if (event.type === "restarting") waitMs = Math.min(event.reconnectInMs, backoff.maxMs);
        },
      });
    } finally {
      timer.stop();
    }
    const { connection } = link;
    if (regionId === this.#home) connection.notePreferred(true);
    for (const { destination, packet } of link.pending.splice(0)) connection.send(destination, packet);
    this.#options.onUp?.(regionId, clock.monotonic() - start);
    const error = await connection.closed();
    link.connection = undefined;
    if (!link.stop.signal.aborted) log.debug("a relay hung up", { region: regionId, error });
    return waitMs;
  }

  #dial(region: DERPMap_Region, websocket: boolean, signal: AbortSignal): Promise<Duplex> {
    if (this.#options.dial) return this.#options.dial(region, websocket, signal);
    const node = region.nodes.find((candidate) => !candidate.stunOnly);
    if (!node) return Promise.reject(new Error(`region ${region.regionId} has no relay`));
    const { headers = {} } = this.#options;
    return dialRelay(node, { headers, websocket, signal });
  }

  async #sweep(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    for await (const _ of clock.ticks(idleSweepMs, { signal, tag: "derp-sweep", unref: true })) {
      for (const [id, link] of this.#links) {
        const idle = clock.monotonic() - (link.connection?.lastWrite ?? 0);
        if (id !== this.#home && link.connection && idle >= idleCloseMs) this.#close(id, link);
      }
    }
  }
}

function sameRegion(before: DERPMap, after: DERPMap, id: number): boolean {
  const only = (map: DERPMap): DERPMap => {
    const region = map.regions[id];
    return { ...map, regions: region ? { [id]: region } : {} };
  };
  return sameDerpMap(only(before), only(after));
}
