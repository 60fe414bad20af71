/**
 * The agent's HTTP API, on port 4 of the tailnet (spec agent §16). Every peer of the workspace may call it: the tunnel
 * is the authorization. Answers are JSON; what is not there is 404, as stock clients expect of older agents.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { type Listener, listeners, ownersOf } from "./listeners.ts";

export interface AgentApiOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The manifest without secrets, for debugging; undefined before there is one. */
  readonly manifest: () => unknown;
  /** What the network knows of its ways to the world; undefined before it runs. */
  readonly netcheck: () => Promise<unknown>;
  /** The newest part of the agent's log. */
  readonly logs: () => Promise<Buffer>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Handler = (options: AgentApiOptions, cache: PortCache) => Promise<Answer>;

const timeoutMs = 20_000;
/** A scan of sockets and processes is shared by who asks meanwhile. */
const scanMs = 1000;
const firstPort = 9;

const ok = (body: unknown): Answer => ({ status: 200, body });
const message = (status: number, text: string): Answer => ({ status, body: { message: text } });

const containersOff: Handler = async () => message(403, "Dev Container feature not enabled.");

const routes: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["GET /", async () => message(200, "Hello from the agent!")],
  ["GET /api/v0/listening-ports", async (_options, cache) => ok({ ports: await cache.ports() })],
  ["GET /api/v0/netcheck", async ({ netcheck }) => notReady(await netcheck())],
  ["GET /api/v0/containers", containersOff],
  ["GET /api/v0/containers/watch", containersOff],
  ["GET /debug/manifest", async ({ manifest }) => notReady(manifest())],
]);

function notReady(body: unknown): Answer {
  return body === undefined ? message(500, "network is not ready yet") : ok(body);
}

export class AgentApi {
  readonly #options: AgentApiOptions;
  readonly #server: Server;
  readonly #cache: PortCache;

  constructor(options: AgentApiOptions) {
    this.#options = options;
    this.#cache = new PortCache(options.clock);
    this.#server = createServer(
      { headersTimeout: timeoutMs, requestTimeout: timeoutMs, keepAliveTimeout: timeoutMs },
      (request, response) => void this.#answer(request, response),
    );
  }

  /** Takes the stream over. */
  serve(stream: Duplex): void {
    stream.on("error", () => stream.destroy());
    this.#server.emit("connection", stream);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const [path = "/"] = (request.url ?? "/").split("?");
    try {
      if (request.method === "GET" && path === "/debug/logs") {
        response.setHeader("content-type", "text/plain; charset=utf-8");
        response.end(await this.#options.logs());
        return;
      }
      const handler = routes.get(`${request.method} ${path}`);
      const answer = handler ? await handler(this.#options, this.#cache) : message(404, "404 not found");
      send(response, answer);
    } catch (error) {
      this.#options.log.warn("a request to the agent failed", { path, error });
      if (!response.headersSent) send(response, message(500, "The agent could not answer."));
    }
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.end(`${JSON.stringify(body)}\n`);
}

class PortCache {
  readonly #clock: Clock;
  #at = Number.NEGATIVE_INFINITY;
  #scan: Promise<unknown> = Promise.resolve([]);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ports(): Promise<unknown> {
    const now = this.#clock.monotonic();
    if (now - this.#at >= scanMs) {
      this.#at = now;
      this.#scan = scan();
    }
    return this.#scan;
  }
}

async function scan() {
  const found = (await listeners()).filter(({ port }) => port >= firstPort);
  const owners = await ownersOf(new Set(found.map(({ inode }: Listener) => inode)));
  return found.map(({ port, inode }) => ({
    process_name: owners.get(inode)?.name ?? "",
    network: "tcp",
    port,
  }));
}
