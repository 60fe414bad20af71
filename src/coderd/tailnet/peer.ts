/**
 * The server's own peer (spec network §9): one identity in the tailnet, through which web terminals and apps reach
 * agents. It speaks to coordinator and relay in memory. Tunnels open on first use and close after half an hour without.
 */
import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { Tailnet } from "#rpc/gen/tailnet_pb.js";
import type { Logger } from "#slog/slog.ts";
import { serviceAddress } from "#tailnet/addresses.ts";
import { ClientController } from "#tailnet/client-controller.ts";
import { TailnetConn } from "#tailnet/conn.ts";
import { PeerTable } from "#tailnet/peers.ts";
import { type TailnetDeps, tailnetRouter } from "./service.ts";

const idleMs = 30 * 60_000;
const sweepMs = 5 * 60_000;
const reachTimeoutMs = 30_000;
const pipeBytes = 256 << 10;

export interface ServerPeerOptions {
  readonly network: TailnetDeps & {
    /** Takes the far end of a connection to the relay; undefined where no relay runs. */
    readonly acceptRelay: ((stream: Duplex) => void) | undefined;
  };
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
}

export class ServerPeer implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #conn: TailnetConn;
  readonly #peers: PeerTable;
  readonly #controller: ClientController;
  readonly #stop = new AbortController();
  readonly #sweeping: Promise<void>;
  /** Agent → open connections, and when the last one ended on the monotonic clock. */
  readonly #uses = new Map<string, { open: number; idleSince: number }>();

  private constructor({ network, clock, rand, log }: ServerPeerOptions) {
    this.#clock = clock;
    const { acceptRelay } = network;
    this.#conn = TailnetConn.start({
      nodeId: rand.bytes(8).readBigUInt64BE() >> 1n,
      addresses: [serviceAddress(rand.uuid())],
      clock,
      rand,
      log,
      derpMap: network.derpMap(),
      ...(acceptRelay
        ? {
            dialRelay: () => {
              const [near, far] = duplexPair({ highWaterMark: pipeBytes });
              acceptRelay(far);
              return Promise.resolve(near);
            },
          }
        : {}),
    });
    this.#peers = new PeerTable({ plane: this.#conn, clock, log });
    const router = tailnetRouter(network, { id: rand.uuid(), auth: { kind: "server" }, name: "coderd" });
    this.#controller = new ClientController({
      conn: this.#conn,
      peers: this.#peers,
      clock,
      rand,
      log,
      serverUrl: "",
      followMaps: false,
      dial: () =>
        Promise.resolve({
          client: drpcClient(Tailnet, memoryStreams(router)),
          signal: this.#stop.signal,
          async [Symbol.asyncDispose]() {},
        }),
    });
    this.#sweeping = this.#sweep();
  }

  static start(options: ServerPeerOptions): ServerPeer {
    return new ServerPeer(options);
  }

  /** Connects to a port of an agent; rejects when it cannot be reached within 30 s. */
  async dialAgent(agentId: string, port: number, options: { signal: AbortSignal }): Promise<Duplex> {
    const use = this.#uses.get(agentId) ?? { open: 0, idleSince: 0 };
    this.#uses.set(agentId, use);
    use.open++;
    const release = (): void => {
      use.open--;
      use.idleSince = this.#clock.monotonic();
    };
    const timeout = new AbortController();
    const timer = this.#clock.timer(
      reachTimeoutMs,
      () => timeout.abort(new Error("the agent cannot be reached")),
      { unref: true },
    );
    try {
      const signal = AbortSignal.any([options.signal, timeout.signal, this.#stop.signal]);
      this.#controller.addDestination(agentId);
      const address = serviceAddress(agentId);
      await this.#conn.awaitReachable(address, { signal });
      const stream = await this.#conn.dialTcp(address, port, { signal });
      stream.once("close", release);
      return stream;
    } catch (error) {
      release();
      throw error;
    } finally {
      timer.stop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the server shuts down"));
    await this.#sweeping;
    await this.#controller[Symbol.asyncDispose]();
    this.#peers[Symbol.dispose]();
    await this.#conn[Symbol.asyncDispose]();
  }

  async #sweep(): Promise<void> {
    const { signal } = this.#stop;
    for await (const _ of this.#clock.ticks(sweepMs, { signal, tag: "server-peer-sweep", unref: true })) {
      for (const [agentId, { open, idleSince }] of this.#uses) {
        if (open > 0 || this.#clock.monotonic() - idleSince < idleMs) continue;
        this.#uses.delete(agentId);
        this.#controller.removeDestination(agentId);
      }
    }
  }
}
