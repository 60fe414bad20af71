/**
 * Keeps a client's control connection: dials, coordinates, follows the DERP map, refreshes the resume token; when one of
 * them ends, dials again with backoff. The data plane goes on meanwhile. CLI, SDK and the server's own peer run one.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { DERPMap } from "#rpc/gen/tailnet_pb.js";
import { comebackDelay } from "#util/comeback.ts";
import { coordinate, followDerpMaps, type TailnetClient, type Tunnels } from "./controllers.ts";
import type { TailnetConn } from "./conn.ts";
import type { PeerTable } from "./peers.ts";

const backoff = { firstMs: 50, maxMs: 10_000 };
const minRefreshMs = 30 * 60_000;

/** An open control connection. */
export interface Control extends AsyncDisposable {
  readonly client: TailnetClient;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
}

/** Dialing again cannot help: the first dial fails with this, later ones never give up. */
export class PermanentDialError extends Error {
  override readonly name = "PermanentDialError";
}

/** The server does not accept the resume token; dial again without it. */
export class ResumeTokenRefused extends Error {
  override readonly name = "ResumeTokenRefused";
}

export interface ClientControllerOptions {
  readonly conn: TailnetConn;
  readonly peers: PeerTable;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly serverUrl: string;
  readonly dial: (resumeToken: string | undefined, signal: AbortSignal) => Promise<Control>;
  /** The server's own peer has its map from elsewhere. */
  readonly followMaps?: boolean;
  readonly onMap?: (map: DERPMap) => void;
}

export class ClientController implements AsyncDisposable {
  readonly #options: ClientControllerOptions;
  readonly #stop = new AbortController();
  readonly #destinations = new Set<string>();
  readonly #running: Promise<void>;
  #tunnels: Tunnels | undefined;
  #token: string | undefined;
  #connected = false;
  /** Settles with the first dial. */
  readonly firstDial: Promise<void>;

  constructor(options: ClientControllerOptions) {
    this.#options = options;
    const first = Promise.withResolvers<void>();
    this.firstDial = first.promise;
    first.promise.catch(() => {});
    this.#running = this.#run(first);
  }

  /** Opens a tunnel to an agent, now and after every reconnect. */
  addDestination(id: string): void {
    if (this.#destinations.has(id)) return;
    this.#destinations.add(id);
    this.#options.peers.setDestination(id);
    this.#tunnels?.add(id);
  }

  removeDestination(id: string): void {
    if (!this.#destinations.delete(id)) return;
    this.#tunnels?.remove(id);
    this.#options.peers.removeDestination(id);
  }

  /** Says goodbye, at most for a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the connection is closed"));
    await this.#running;
  }

  async #run(first: PromiseWithResolvers<void>): Promise<void> {
    const { clock, rand, log } = this.#options;
    const { signal } = this.#stop;
    let attempt = 0;
    while (!signal.aborted) {
      try {
        await using control = await this.#options.dial(this.#token, signal);
        attempt = 0;
        this.#connected = true;
        first.resolve();
        await this.#session(control);
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof ResumeTokenRefused) {
          this.#token = undefined;
          continue;
        }
        if (!this.#connected && error instanceof PermanentDialError) {
          first.reject(error);
          return;
        }
        log.debug("the control connection ended", { error, attempt });
      }
      const delay = comebackDelay(attempt++, rand, backoff);
      await clock.sleep(delay, { signal, tag: "control-backoff", unref: true }).catch(() => {});
    }
    first.reject(signal.reason);
  }

  /** The parts share their fate: the first that ends ends all. */
  async #session(control: Control): Promise<void> {
    const { conn, peers, clock, serverUrl, followMaps = true, onMap } = this.#options;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, control.signal, over.signal]);
    const parts = [
      coordinate(
        control.client,
        {
          conn,
          peers,
          clock,
          announceReady: false,
          destinations: [...this.#destinations],
          onOpen: (tunnels) => (this.#tunnels = tunnels),
        },
        signal,
      ),
    ];
    if (followMaps) {
      const take = (map: DERPMap): void => (onMap ? onMap(map) : conn.setDerpMap(map));
      parts.push(followDerpMaps(control.client, { serverUrl, onMap: take }, signal));
      parts.push(this.#refreshToken(control.client, signal));
    }
    try {
      await Promise.race(parts);
    } finally {
      this.#tunnels = undefined;
      over.abort(new Error("the control connection ended"));
      await Promise.allSettled(parts);
      if (!this.#stop.signal.aborted) peers.allLost();
    }
  }

  /** Older servers have no such token; then this only waits. */
  async #refreshToken(client: TailnetClient, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      let wait = 24 * 3_600_000;
      try {
        const { token, refreshIn } = await client.refreshResumeToken({}, { signal });
        this.#token = token;
        wait = Math.max(Number(refreshIn?.seconds ?? 0n) * 1000, minRefreshMs);
      } catch {
        if (signal.aborted) return;
      }
      await clock.sleep(wait, { signal, tag: "resume-token", unref: true }).catch(() => {});
    }
  }
}
