/**
 * Calls of an agent's own HTTP API (spec agent §16) through the server's peer. The agent is not trusted: an answer is
 * bounded in time and size, a redirect is an answer like any other and never followed.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "#quartz/clock.ts";
import { agentPort } from "#tailnet/addresses.ts";
import { ApiError } from "../errors.ts";
import type { ServerNetwork } from "../tailnet/network.ts";

export interface AgentCallDeps {
  readonly clock: Clock;
  readonly network: Pick<ServerNetwork, "dialAgent">;
}

export interface AgentCall {
  readonly agentId: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly signal: AbortSignal;
}

export interface AgentAnswer {
  readonly status: number;
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown;
}

const timeoutMs = 30_000;
const maxBytes = 4 << 20;

/** Throws 408 when the agent does not answer in time, 502 for an answer that makes no sense. */
export async function callAgent(deps: AgentCallDeps, call: AgentCall): Promise<AgentAnswer> {
  const late = new AbortController();
  const timer = deps.clock.timer(timeoutMs, () => late.abort(new Error("the agent did not answer")), {
    tag: "agent call",
    unref: true,
  });
  const signal = AbortSignal.any([call.signal, late.signal]);
  try {
    const stream = await deps.network.dialAgent(call.agentId, agentPort.httpApi, { signal });
    const response = await exchange(stream, call, signal);
    const bytes = await collect(response);
    return { status: response.statusCode ?? 0, body: parse(bytes) };
  } catch (error) {
    if (call.signal.aborted || error instanceof ApiError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    if (late.signal.aborted) {
      throw new ApiError(408, "Timeout", "The agent did not answer in time.", { detail });
    }
    throw new ApiError(502, "BadGateway", "The agent could not be asked.", { detail });
  } finally {
    timer.stop();
  }
}

function exchange(stream: Duplex, call: AgentCall, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      method: call.method,
      path: call.path,
      host: "agent",
      headers: { accept: "application/json", "content-length": "0" },
      agent: new OneStream(stream),
      signal,
    });
    request.once("response", resolve);
    request.once("error", (error) => (stream.destroy(), reject(error)));
    request.end();
  });
}

/** Gives the one stream to the one request. */
class OneStream extends HttpAgent {
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    super({ keepAlive: false, maxSockets: 1 });
    this.#stream = stream;
  }

  override createConnection(): Duplex {
    return this.#stream;
  }
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.length;
    if (size > maxBytes) {
      response.destroy();
      throw new Error(`the answer is longer than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parse(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new Error("the answer is no JSON");
  }
}
