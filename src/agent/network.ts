/**
 * The agent's place in the tailnet, as the run loop sees it. `startNetwork` is an argument of the agent, so that the
 * loop is tested without packets.
 */
import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import type { AgentConnection } from "#codersdk/agentsdk/dial.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { DERPMap, Node } from "#rpc/gen/tailnet_pb.js";
import type { Traffic } from "./stats.ts";

/** Facts that a manifest gives the network; a later manifest may change them. */
export interface NetworkFacts {
  readonly agentId: string;
  readonly derpMap: DERPMap | undefined;
  readonly disableDirectConnections: boolean;
  readonly derpForceWebsockets: boolean;
}

/** Serves a connection that a peer opened; `peer` is its address without a port. */
export type StreamHandler = (stream: Duplex, peer: string) => void;

export interface NetworkOptions {
  readonly facts: NetworkFacts;
  /** The server's access URL: embedded relays are reached there. */
  readonly serverUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who serves a port; undefined refuses the connection. */
  readonly accept: (port: number) => StreamHandler | undefined;
}

export interface AgentNetwork extends AsyncDisposable {
  update(facts: NetworkFacts): void;
  /**
   * Exchanges nodes with the coordinator over one connection until the signal aborts (then it says goodbye); throws
   * when the stream breaks.
   */
  coordinate(tailnet: AgentConnection["tailnet"], signal: AbortSignal): Promise<void>;
  /** Follows the server's DERP map; as above. */
  followDerpMaps(tailnet: AgentConnection["tailnet"], signal: AbortSignal): Promise<void>;
  /** What this agent announces; undefined while its home relay is not known. */
  node(): Pick<Node, "preferredDerp" | "derpLatency"> | undefined;
  /** Traffic since the last call; undefined when nothing passed. */
  traffic(): Traffic | undefined;
}

export type StartNetwork = (options: NetworkOptions) => Promise<AgentNetwork>;

/** Ports below this are the agent's own services or reserved for them. */
const firstForwardedPort = 9;

/** A port that is none of ours: the same port on this machine. */
export function forwardToLocalhost(port: number): StreamHandler | undefined {
  if (port < firstForwardedPort) return undefined;
  return (stream) => {
    const socket = createConnection({ port, host: "localhost", autoSelectFamily: true });
    socket.setNoDelay(true);
    const end = (): void => {
      socket.destroy();
      stream.destroy();
    };
    socket.on("error", end);
    stream.on("error", end);
    socket.once("close", end);
    stream.once("close", end);
    stream.pipe(socket);
    socket.pipe(stream);
  };
}
