/**
 * Connects to a workspace's agent (spec network §16): a peer of its own with a random address, one tunnel, streams to the
 * agent's ports. The command line holds one per run. Everything that can begin at once does: connection info, the
 * coordination socket and, as soon as the relay is known, the dial to it.
 *
 *     await using agent = await dialAgent({ url, token, agentId, clock, rand, log, signal });
 *     const ssh = await agent.dialTcp(agentPort.ssh);
 */
import type { Duplex } from "node:stream";
import { newClient } from "../client.ts";
import { workspaceagents } from "../workspaceagents.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { derpMapFromJson, type DerpMapJson, rewriteDerpMap } from "#net/derp/map.ts";
import type { Clock } from "#quartz/clock.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { Tailnet } from "#rpc/gen/tailnet_pb.js";
import { dialWebSocket, HandshakeError } from "#rpc/wsconn/dial.ts";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import type { Logger } from "#slog/slog.ts";
import { agentPort, serviceAddress } from "#tailnet/addresses.ts";
import {
  ClientController,
  type Control,
  PermanentDialError,
  ResumeTokenRefused,
} from "#tailnet/client-controller.ts";
import { TailnetConn } from "#tailnet/conn.ts";
import { PeerTable } from "#tailnet/peers.ts";
import { encodePtyInit, type PtyInit } from "./pty-protocol.ts";

/** Answers that dialing again does not change. */
const permanent = new Set([400, 401, 403, 404, 409, 500]);
/** What clients of this kind ask for; optional calls are tried anyway. */
const apiVersion = "2.0";

export interface DialAgentOptions {
  /** The server's URL, as the user gave it: embedded relays are reached there. */
  readonly url: string;
  readonly token: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agentId: string;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  /** Ends the dial; an established connection stays. */
  readonly signal: AbortSignal;
}

export interface AgentConn extends AsyncDisposable {
  /** The agent's address inside the tunnel. */
  readonly address: string;
  readonly conn: TailnetConn;
  /** Connects to a port of the agent; rejects with code ECONNREFUSED where nobody listens. */
  dialTcp(port: number, options?: { signal?: AbortSignal }): Promise<Duplex>;
  /** Opens the agent's ssh server. */
  ssh(options?: { signal?: AbortSignal }): Promise<Duplex>;
  /** Opens, or finds again, a terminal. Requests are written with encodePtyRequest. */
  reconnectingPty(init: PtyInit, options?: { signal?: AbortSignal }): Promise<Duplex>;
  /** Asks the agent for a pong through its relay. `via` names the way. */
  ping(options?: { signal?: AbortSignal }): Promise<{ readonly latencyMs: number; readonly via: string }>;
}

/** Rejects with PermanentDialError (its cause tells the answer), ClientError, or the signal's reason. */
export async function dialAgent(options: DialAgentOptions): Promise<AgentConn> {
  const { url, token, headers = {}, agentId, clock, rand, log, signal } = options;
  signal.throwIfAborted();
  const address = serviceAddress(agentId);
  const info = newClient({ url, token, headers }).call(workspaceagents.connectionGeneric, { signal });
  info.catch(() => {});
  const firstSocket = dialControl(options, undefined, signal);
  firstSocket.catch(() => {});
  const { derp_map: map, derp_force_websockets: forceWebsockets } = await info;
  const conn = TailnetConn.start({
    nodeId: rand.bytes(8).readBigUInt64BE() >> 1n,
    addresses: [serviceAddress(rand.uuid())],
    clock,
    rand,
    log,
    headers,
    forceWebsockets,
    derpMap: rewriteDerpMap(derpMapFromJson(mapOf(map)), url),
  });
  const peers = new PeerTable({ plane: conn, clock, log });
  let first: Promise<Control> | undefined = firstSocket;
  const controller = new ClientController({
    conn,
    peers,
    clock,
    rand,
    log,
    serverUrl: url,
    dial: (resumeToken, stop) => {
      const begun = first;
      first = undefined;
      return begun ?? dialControl(options, resumeToken, stop);
    },
  });
  controller.addDestination(agentId);
  const close = async (): Promise<void> => {
    await controller[Symbol.asyncDispose]();
    peers[Symbol.dispose]();
    await conn[Symbol.asyncDispose]();
  };
  try {
    await controller.firstDial;
    await conn.awaitReachable(address, { signal });
  } catch (error) {
    await close();
    throw error;
  }
  return agentConn(conn, address, close);
}

function agentConn(conn: TailnetConn, address: string, close: () => Promise<void>): AgentConn {
  const dialTcp: AgentConn["dialTcp"] = (port, options = {}) => conn.dialTcp(address, port, options);
  return {
    address,
    conn,
    dialTcp,
    ssh: (options) => dialTcp(agentPort.ssh, options),
    async reconnectingPty(init, options) {
      const stream = await dialTcp(agentPort.reconnectingPty, options);
      stream.write(encodePtyInit(init));
      return stream;
    },
    async ping(options = {}) {
      const { signal = AbortSignal.timeout(5_000) } = options;
      const { latencyMs, regionId } = await conn.ping(address, { signal });
      const name = conn.derpMap?.regions[regionId]?.regionName ?? `region ${regionId}`;
      return { latencyMs, via: `DERP(${name})` };
    },
    [Symbol.asyncDispose]: close,
  };
}

/** One coordination socket: WebSocket, yamux, DRPC. */
async function dialControl(
  { url, token, headers = {}, agentId, clock }: DialAgentOptions,
  resumeToken: string | undefined,
  signal: AbortSignal,
): Promise<Control> {
  const target = new URL(`/api/v2/workspaceagents/${agentId}/coordinate`, url);
  target.searchParams.set("version", apiVersion);
  if (resumeToken !== undefined) target.searchParams.set("resume_token", resumeToken);
  try {
    const socket = await dialWebSocket(target, {
      headers: { ...headers, "Coder-Session-Token": token },
      signal,
    });
    const session = YamuxSession.start(wsDuplex(socket), { role: "client", clock });
    return {
      client: drpcClient(Tailnet, () => session.open()),
      signal: session.signal,
      async [Symbol.asyncDispose]() {
        session.close();
      },
    };
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    if (error.status === 401 && error.body.includes("resume_token")) {
      throw new ResumeTokenRefused("the server does not accept the resume token");
    }
    if (permanent.has(error.status)) throw new PermanentDialError(refusalText(error), { cause: error });
    throw error;
  }
}

/** The server's own words, where it has some. */
function refusalText({ body, message }: HandshakeError): string {
  try {
    const value: unknown = JSON.parse(body);
    if (
      typeof value === "object" &&
      value !== null &&
      "message" in value &&
      typeof value.message === "string"
    ) {
      return value.message;
    }
  } catch {
    // No JSON: the error's own text has it.
  }
  return message;
}

/** What the contract leaves open: the map has Go's names. Anything that is none is an empty map. */
function mapOf(value: unknown): DerpMapJson {
  return isMap(value) ? value : { Regions: {} };
}

function isMap(value: unknown): value is DerpMapJson {
  if (typeof value !== "object" || value === null || !("Regions" in value)) return false;
  const { Regions: regions } = value;
  if (typeof regions !== "object" || regions === null) return false;
  return Object.values(regions).every(
    (region: unknown) =>
      typeof region === "object" &&
      region !== null &&
      "RegionID" in region &&
      Number.isSafeInteger(region.RegionID) &&
      "Nodes" in region &&
      Array.isArray(region.Nodes),
  );
}
