/**
 * An agent's place in the tailnet: its conn with the addresses of its UUID, its peers, and its ports. The agent's run
 * loop starts one and gives it each RPC connection in turn.
 */
import type { Duplex } from "node:stream";
import { cryptoRand, type Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import { rewriteDerpMap } from "#net/derp/map.ts";
import type { ForwardRequest } from "#net/netstack/stack.ts";
import type { DERPMap, Node } from "#rpc/gen/tailnet_pb.js";
import type { Logger } from "#slog/slog.ts";
import { agentNodeId, serviceAddress, vpnAddress } from "./addresses.ts";
import { TailnetConn, type Traffic } from "./conn.ts";
import { coordinate, followDerpMaps, type TailnetClient } from "./controllers.ts";
import { PeerTable } from "./peers.ts";

export interface AgentNetworkFacts {
  readonly agentId: string;
  readonly derpMap: DERPMap | undefined;
  readonly disableDirectConnections: boolean;
  readonly derpForceWebsockets: boolean;
}

export interface AgentNetworkOptions {
  readonly facts: AgentNetworkFacts;
  /** The server's access URL: embedded relays are reached there. */
  readonly serverUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly rand?: Rand;
  /** Who serves a port; undefined refuses the connection. */
  readonly accept: (port: number) => ((stream: Duplex, peer: string) => void) | undefined;
}

export class TailnetAgentNetwork implements AsyncDisposable {
  readonly #conn: TailnetConn;
  readonly #peers: PeerTable;
  readonly #options: AgentNetworkOptions;

  private constructor(options: AgentNetworkOptions) {
    const { facts, clock, log, headers, rand = cryptoRand } = options;
    this.#options = options;
    this.#conn = TailnetConn.start({
      nodeId: agentNodeId(facts.agentId),
      addresses: [serviceAddress(facts.agentId), vpnAddress(facts.agentId)],
      clock,
      rand,
      log,
      headers,
      forceWebsockets: facts.derpForceWebsockets,
      onForward: (request) => this.#onForward(request),
    });
    this.#peers = new PeerTable({ plane: this.#conn, clock, log });
    this.update(facts);
  }

  static start(options: AgentNetworkOptions): TailnetAgentNetwork {
    return new TailnetAgentNetwork(options);
  }

  /** A later manifest. */
  update(facts: AgentNetworkFacts): void {
    if (facts.derpMap) this.#conn.setDerpMap(rewriteDerpMap(facts.derpMap, this.#options.serverUrl));
  }

  /** Exchanges nodes until the signal aborts (then it says goodbye); throws when the stream breaks. */
  coordinate(tailnet: TailnetClient, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    return coordinate(tailnet, { conn: this.#conn, peers: this.#peers, clock, announceReady: true }, signal);
  }

  followDerpMaps(tailnet: TailnetClient, signal: AbortSignal): Promise<void> {
    const { serverUrl } = this.#options;
    return followDerpMaps(tailnet, { serverUrl, onMap: (map) => this.#conn.setDerpMap(map) }, signal);
  }

  /** What passed inside the tunnel since the start, and TCP connections that are open. */
  totals(): Traffic {
    return this.#conn.traffic;
  }

  /** What this agent announces; undefined while its home relay is not known. */
  node(): Node | undefined {
    return this.#conn.node();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#peers[Symbol.dispose]();
    await this.#conn[Symbol.asyncDispose]();
  }

  #onForward(request: ForwardRequest): void {
    const handler = this.#options.accept(request.port);
    if (handler) handler(request.accept(), request.remoteAddress);
    else request.reject();
  }
}
