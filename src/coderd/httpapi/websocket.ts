/**
 * Accepts upgrades and runs the streams that handlers return (reply.ts) over them: RFC 6455 without compression, a ping
 * every 15 s, close codes of the API's conventions. Used by bind.ts; closed by the server's shutdown.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { Response } from "#codersdk/response.ts";
import { encode } from "#codersdk/wire-encode.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { type Stream, streamKind } from "./reply.ts";
import { CloseSocket, closeSocket, MessageSocket, sendMessage, socketStream } from "./socket.ts";

/** What the HTTP engine hands over for a request with `Upgrade: websocket`. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Lines that the answer 101 carries beyond its own. */
  readonly headers?: readonly string[];
}

const pingEveryMs = 15_000;
/** Default limit of the stock library, and so of clients; larger messages close with 1009. */
const maxMessage = 32 * 1024;
const maxBytesMessage = 4 * 1024 * 1024;
/** How long a shutdown waits for peers to say goodbye. */
const closeWaitMs = 1_000;

/** Whether a browser page of another host made this request. */
export function foreignOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host.toLowerCase() !== (host ?? "").toLowerCase();
}

export class WebSockets implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #open = new Set<WebSocket>();
  readonly #headers = new WeakMap<IncomingMessage, readonly string[]>();
  readonly #messages = this.#newServer(maxMessage);
  readonly #bytes = this.#newServer(maxBytesMessage);

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Shakes hands and runs the stream until it, or the peer, ends. Never throws. */
  async serve(upgrade: Upgrade, stream: Stream, signal: AbortSignal): Promise<void> {
    const socket = await this.#accept(upgrade, stream);
    const gone = new AbortController();
    socket.on("close", () => gone.abort(new Error("the peer closed the socket")));
    socket.on("error", () => gone.abort(new Error("the socket failed")));
    const stop = AbortSignal.any([signal, gone.signal]);
    const pings = this.#ping(socket, stop);
    try {
      await run(stream, socket, stop);
      closeSocket(socket, 1000, "done");
    } catch (error) {
      if (error instanceof CloseSocket) closeSocket(socket, error.code, error.message);
      else if (stop.aborted) closeSocket(socket, 1001, "going away");
      else {
        this.#log.warn("a stream failed", { error, path: upgrade.request.url?.split("?")[0] });
        closeSocket(socket, 1011, error instanceof Error ? error.message : "internal error");
      }
    }
    gone.abort(new Error("the stream ended"));
    await pings;
  }

  #newServer(maxPayload: number): WebSocketServer {
    const server = newServer(maxPayload);
    server.on("headers", (lines, request) => lines.push(...(this.#headers.get(request) ?? [])));
    return server;
  }

  #accept(upgrade: Upgrade, stream: Stream): Promise<WebSocket> {
    const sorted = streamKind(stream);
    const server = sorted.kind === "bytes" ? this.#bytes : this.#messages;
    this.#headers.set(upgrade.request, upgrade.headers ?? []);
    return new Promise((resolve) => {
      server.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (socket) => {
        this.#open.add(socket);
        socket.on("close", () => this.#open.delete(socket));
        resolve(socket);
      });
    });
  }

  async #ping(socket: WebSocket, signal: AbortSignal): Promise<void> {
    let answered = true;
    socket.on("pong", () => (answered = true));
    for await (const _ of this.#clock.ticks(pingEveryMs, { signal, tag: "ws-ping", unref: true })) {
      if (!answered) return closeSocket(socket, 1001, "Ping failed");
      answered = false;
      socket.ping();
    }
  }

  /** Tells every peer that we go away and waits a little for its answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Array.from(this.#open, (socket) => {
      closeSocket(socket, 1001, "going away");
      return new Promise<void>((resolve) => {
        if (socket.readyState === socket.CLOSED) return resolve();
        const timer = this.#clock.timer(closeWaitMs, () => socket.terminate(), {
          tag: "ws-close",
          unref: true,
        });
        socket.on("close", () => {
          timer.stop();
          resolve();
        });
      });
    });
    await Promise.all(closed);
    this.#messages.close();
    this.#bytes.close();
  }
}

function newServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has("derp") ? "derp" : false),
  });
}

async function run(stream: Stream, socket: WebSocket, signal: AbortSignal): Promise<void> {
  const sorted = streamKind(stream);
  switch (sorted.kind) {
    case "events": {
      refuseData(socket, 1002, "Clients cannot send messages for one-way WebSockets");
      const { schema, events } = sorted.stream;
      for await (const event of events(signal)) {
        const shape = event.type === "error" ? Response : schema;
        const data = event.data === undefined ? "null" : encode(shape, event.data);
        await sendMessage(socket, `{"type":${JSON.stringify(event.type)},"data":${data}}\n`);
      }
      return;
    }
    case "json": {
      refuseData(socket, 1008, "unexpected data message");
      const { schema, values, binary } = sorted.stream;
      for await (const value of values(signal)) {
        const text = `${encode(schema, value)}\n`;
        await sendMessage(socket, binary ? Buffer.from(text) : text);
      }
      return;
    }
    case "messages":
      return sorted.stream.run(new MessageSocket(socket), signal);
    case "bytes": {
      const { subprotocol } = sorted.stream;
      if (subprotocol !== undefined && socket.protocol !== subprotocol) {
        throw new CloseSocket(1008, `client does not speak ${subprotocol}`);
      }
      const bytes = socketStream(socket);
      try {
        await sorted.stream.run(bytes, signal);
      } finally {
        bytes.on("error", () => {});
        bytes.destroy();
      }
      return;
    }
  }
}

function refuseData(socket: WebSocket, code: number, reason: string): void {
  socket.on("message", () => closeSocket(socket, code, reason));
}
