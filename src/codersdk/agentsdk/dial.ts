/**
 * What an agent asks of its server: one WebSocket, one yamux session, one stream for each call (spec agent §4). Used by
 * the agent; works against stock servers too, older ones by asking for a lower minor version.
 */
import { Agent } from "#rpc/gen/agent_pb.js";
import { Tailnet } from "#rpc/gen/tailnet_pb.js";
import { drpcClient, type DrpcClient } from "#rpc/drpc/client.ts";
import { dialWebSocket, HandshakeError } from "#rpc/wsconn/dial.ts";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import type { Clock } from "#quartz/clock.ts";

/** The version that we speak. */
export const apiVersion = { major: 2, minor: 9 } as const;

export interface DialAgentOptions {
  /** Access URL of the server. */
  readonly url: string;
  readonly token: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

export interface AgentConnection {
  readonly agent: DrpcClient<typeof Agent>;
  readonly tailnet: DrpcClient<typeof Tailnet>;
  /** Aborts, with the reason, when the connection is lost. */
  readonly signal: AbortSignal;
  /** The version that was agreed: "2.9". */
  readonly version: string;
  close(): void;
}

/** Messages of agents are bounded by the server at 4 MiB; a manifest may be larger. */
const maxPayload = 16 * 1024 * 1024;

export async function dialAgentApi(options: DialAgentOptions): Promise<AgentConnection> {
  let minor: number = apiVersion.minor;
  for (;;) {
    try {
      return await dial(options, `${apiVersion.major}.${minor}`);
    } catch (error) {
      const lower = error instanceof HandshakeError ? lowerMinor(error, minor) : undefined;
      if (lower === undefined) throw error;
      minor = lower;
    }
  }
}

/** An older server names its version in the refusal: `server is at version 2.7, behind requested minor version 2.9`. */
function lowerMinor(error: HandshakeError, asked: number): number | undefined {
  if (error.status !== 400) return undefined;
  const minor = Number(/server is at version 2\.(\d+)/u.exec(error.body)?.[1] ?? Number.NaN);
  return minor < asked ? minor : undefined;
}

async function dial(options: DialAgentOptions, version: string): Promise<AgentConnection> {
  const url = new URL("/api/v2/workspaceagents/me/rpc", options.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("version", version);
  url.searchParams.set("role", "agent");
  const socket = await dialWebSocket(url, {
    headers: { ...options.headers, "Coder-Session-Token": options.token },
    signal: options.signal,
    maxPayload,
  });
  const session = YamuxSession.start(wsDuplex(socket), { role: "client", clock: options.clock });
  const open = () => session.open();
  return {
    agent: drpcClient(Agent, open),
    tailnet: drpcClient(Tailnet, open),
    signal: session.signal,
    version,
    close: () => session.close(),
  };
}
