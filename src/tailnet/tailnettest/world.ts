/** A relay, a coordinator, agents and clients in one process, connected in memory, for tests and the benchmark. */
import { duplexPair } from "node:stream";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { DerpServer } from "#net/derp/server.ts";
import { embeddedDerpMap } from "#net/derp/map.ts";
import { newPrivateKey } from "#net/keys/x25519.ts";
import { type Clock, realClock } from "#quartz/clock.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { drpcRouter } from "#rpc/drpc/server.ts";
import { Tailnet } from "#rpc/gen/tailnet_pb.js";
import { discardLogger } from "#slog/slog.ts";
import { agentNodeId, serviceAddress } from "../addresses.ts";
import { ClientController } from "../client-controller.ts";
import { TailnetConn } from "../conn.ts";
import { coordinate } from "../controllers.ts";
import { type Coordinator, MemoryCoordinator } from "../coordinator.ts";
import { PeerTable } from "../peers.ts";
import { tailnetService } from "../service.ts";
import type { PeerAuth } from "../tunnel-auth.ts";

export interface WorldOptions {
  readonly clock?: Clock;
}

export interface Member extends AsyncDisposable {
  readonly id: string;
  readonly address: string;
  readonly conn: TailnetConn;
}

export interface ClientMember extends Member {
  readonly controller: ClientController;
}

export class World implements AsyncDisposable {
  readonly clock: Clock;
  readonly coordinator: Coordinator;
  readonly relay: DerpServer;
  readonly #members: AsyncDisposable[] = [];

  constructor(options: WorldOptions = {}) {
    this.clock = options.clock ?? realClock;
    this.coordinator = new MemoryCoordinator({ clock: this.clock });
    this.relay = new DerpServer({
      key: newPrivateKey(cryptoRand),
      clock: this.clock,
      rand: cryptoRand,
      log: discardLogger,
      admits: (key) => this.coordinator.knowsKey(key),
    });
  }

  client(auth: PeerAuth, id: string) {
    const service = tailnetService({
      coordinator: this.coordinator,
      clock: this.clock,
      derpMap: () => embeddedDerpMap("http://127.0.0.1:1"),
      peer: { id, auth },
    });
    return drpcClient(Tailnet, memoryStreams(drpcRouter(Tailnet, service)));
  }

  #conn(nodeId: bigint, address: string, relayOpens: Promise<void> = Promise.resolve()): TailnetConn {
    return TailnetConn.start({
      nodeId,
      addresses: [address],
      clock: this.clock,
      rand: cryptoRand,
      log: discardLogger,
      derpMap: embeddedDerpMap("http://127.0.0.1:1"),
      dialRelay: async () => {
        await relayOpens;
        const [near, far] = duplexPair({ highWaterMark: 256 << 10 });
        void this.relay.accept(far);
        return near;
      },
    });
  }

  /** Its way to the relay stands open, or opens when that promise resolves. */
  startAgent(options: { readonly relayOpens?: Promise<void> } = {}): Member {
    const id = cryptoRand.uuid();
    const address = serviceAddress(id);
    const conn = this.#conn(agentNodeId(id), address, options.relayOpens);
    const peers = new PeerTable({ plane: conn, clock: this.clock, log: discardLogger });
    const stop = new AbortController();
    const running = coordinate(
      this.client({ kind: "agent", id }, id),
      { conn, peers, clock: this.clock, announceReady: true },
      stop.signal,
    ).catch(() => {});
    return this.#keep({
      id,
      address,
      conn,
      async [Symbol.asyncDispose]() {
        stop.abort(new Error("the agent stops"));
        await running;
        peers[Symbol.dispose]();
        await conn[Symbol.asyncDispose]();
      },
    });
  }

  startClient(agentId: string): ClientMember {
    const id = cryptoRand.uuid();
    const address = serviceAddress(cryptoRand.uuid());
    const conn = this.#conn(BigInt(cryptoRand.int(2 ** 31)), address);
    const peers = new PeerTable({ plane: conn, clock: this.clock, log: discardLogger });
    const controller = new ClientController({
      conn,
      peers,
      clock: this.clock,
      rand: cryptoRand,
      log: discardLogger,
      serverUrl: "http://127.0.0.1:1",
      followMaps: false,
      dial: () =>
        Promise.resolve({
          client: this.client({ kind: "client", agentId }, id),
          signal: new AbortController().signal,
          async [Symbol.asyncDispose]() {},
        }),
    });
    controller.addDestination(agentId);
    return this.#keep({
      id,
      address,
      conn,
      controller,
      async [Symbol.asyncDispose]() {
        await controller[Symbol.asyncDispose]();
        peers[Symbol.dispose]();
        await conn[Symbol.asyncDispose]();
      },
    });
  }

  #keep<T extends AsyncDisposable>(member: T): T {
    this.#members.push(member);
    return member;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) await member[Symbol.asyncDispose]();
    this.coordinator.close();
    await this.relay[Symbol.asyncDispose]();
  }
}
