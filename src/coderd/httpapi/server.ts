/**
 * The HTTP engine: Fastify, bent to Go's wire. Started by coderd.ts with the one list of routes. Promises: headers of the
 * conventions on every answer, any content type read as JSON, 405 without body, no implied HEAD, collapsed and trailing
 * slashes, JSON 404 below /api, and that a request runs auth → limits → CSRF → handler in this order.
 */
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type Endpoint, isRaw, paramNames } from "#codersdk/endpoint.ts";
import { encode } from "#codersdk/wire-encode.ts";
import { Response } from "#codersdk/response.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { newCtx } from "../ctx.ts";
import { NotFound } from "../errors.ts";
import type { Caller } from "../httpmw/caller.ts";
import type { Guard } from "../httpmw/guard.ts";
import type { Subject } from "../rbac/subject.ts";
import type { BoundRoute } from "./bind.ts";
import { errorResponse, jsonType, Redirect, TextError } from "./error-response.ts";
import { type ReplyOptions, sortResult, type Stream, streamKind } from "./reply.ts";
import { routeTable } from "./route-table.ts";
import { sseBody, sseHeaders } from "./sse.ts";
import { foreignOrigin, type Upgrade, WebSockets } from "./websocket.ts";

export interface ServerOptions {
  readonly routes: readonly BoundRoute[];
  /** Where to send a request instead of answering it; undefined: nowhere. */
  readonly redirect?: ((request: IncomingMessage) => string | undefined) | undefined;
  /** Answers every GET outside of `/api` that no route knows. */
  readonly fallback?: BoundRoute | undefined;
  readonly guard: Guard;
  /** Address of the client behind trusted proxies. */
  readonly clientIp: (request: IncomingMessage) => string;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly version: string;
  /** The actor of requests without a session. */
  readonly nobody: Subject;
  /** Checks response bodies against their schema; tests and development only. */
  readonly checkResponses: boolean;
  /** Upgrades that are no WebSocket routes of ours, by path: the relay speaks a protocol of its own. */
  readonly upgrades?: Readonly<Record<string, UpgradeHandler>>;
}

export interface UpgradeHandler {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Per-request facts that hooks find before the handler runs. */
interface Found {
  readonly requestId: string;
  readonly ip: string;
  readonly search: URLSearchParams;
  readonly gone: AbortController;
  readonly contentType: string | undefined;
  caller: Caller | undefined;
  upgrade: Upgrade | undefined;
}

declare module "fastify" {
  interface FastifyRequest {
    found: Found;
  }
  interface FastifyContextConfig {
    route?: BoundRoute;
  }
}

const defaultBodyLimit = 1024 * 1024;

export class HttpServer implements AsyncDisposable {
  readonly app: FastifyInstance;
  readonly #options: ServerOptions;
  readonly #sockets: WebSockets;
  #closing = false;
  readonly #upgrades = new WeakMap<object, Upgrade>();

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#sockets = new WebSockets(options.clock, options.log.named("websocket"));
    this.app = fastify({
      routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 4096 },
      exposeHeadRoutes: false,
      forceCloseConnections: true,
      bodyLimit: defaultBodyLimit,
      frameworkErrors: (error, _request, reply) => this.#sendError(reply, error),
    });
  }

  static async start(options: ServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    server.#install();
    await server.app.ready();
    return server;
  }

  #install(): void {
    const { app } = this;
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    app.decorateRequest("found");
    app.addHook("onRequest", (request, reply) => this.#onRequest(request, reply));
    app.addHook("onResponse", (request, reply, done) => {
      this.#options.log.debug("request", {
        method: request.method,
        // The pattern: paths and queries may hold secrets.
        route: request.routeOptions.url ?? "none",
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        request_id: request.found.requestId,
      });
      done();
    });
    app.setErrorHandler((error, request, reply) => this.#onError(error, request, reply));
    const allowed = routeTable(this.#options.routes.map((route) => route.endpoint));
    app.setNotFoundHandler((request, reply) => {
      const methods = allowed(pathOf(request.url));
      if (methods.length > 0) return reply.code(405).header("allow", methods.join(", ")).send();
      const { fallback } = this.#options;
      if (fallback !== undefined && isPage(request)) return this.#handle(fallback, request, reply);
      return this.#sendError(reply, new NotFound("Route not found."));
    });
    for (const route of this.#options.routes) this.#add(route);
    app.server.on("upgrade", (request, socket, head) => {
      // Agents come back at once: their new sockets would hold up the end.
      if (this.#closing) return socket.destroy();
      // The engine listens no more: a reset before the handshake, or after a refusal, would end the program.
      socket.on("error", () => socket.destroy());
      const special = this.#options.upgrades?.[pathOf(request.url ?? "")];
      if (special) return special.upgrade(request, socket, head);
      this.#upgrades.set(request, { request, socket, head });
      const response = new ServerResponse(request);
      response.assignSocket(socket as Socket);
      response.on("finish", () => socket.end());
      app.routing(request, response);
    });
  }

  #add(route: BoundRoute): void {
    const { endpoint } = route;
    this.app.route({
      method: endpoint.head ? [endpoint.method, "HEAD"] : endpoint.method,
      url: endpoint.path.replace(/\{[^}]+\.\.\.\}$/, "*").replaceAll(/\{([^}]+)\}/g, ":$1"),
      config: { route },
      bodyLimit: endpoint.bodyLimit ?? defaultBodyLimit,
      handler: (request, reply) => this.#handle(route, request, reply),
    });
  }

  async #onRequest(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { rand, version, guard, clientIp } = this.#options;
    const query = request.url.indexOf("?");
    const gone = new AbortController();
    request.found = {
      requestId: rand.uuid(),
      ip: clientIp(request.raw),
      search: new URLSearchParams(query < 0 ? "" : request.url.slice(query + 1)),
      gone,
      contentType: request.headers["content-type"],
      caller: undefined,
      upgrade: this.#upgrades.get(request.raw),
    };
    // The engine refuses types that it cannot parse; ours is one parser for all, and the handler gets the type back.
    if (request.found.contentType !== undefined) request.headers["content-type"] = "application/json";
    reply.raw.on("close", () => {
      if (!reply.raw.writableFinished) gone.abort(new Error("the client went away"));
    });
    reply
      .header("x-coder-build-version", version)
      .header("x-coder-request-id", request.found.requestId)
      .header("x-content-type-options", "nosniff")
      .header("vary", request.found.upgrade === undefined ? "Origin, Cookie" : "Cookie");
    if (isPreflight(request)) {
      // No origin is allowed in; browsers read that from the absence of the allow headers.
      await reply
        .header("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
        .code(200)
        .send();
      return;
    }
    const elsewhere = this.#options.redirect?.(request.raw);
    if (elsewhere !== undefined) {
      await reply.code(307).header("location", elsewhere).send();
      return;
    }
    const { fallback } = this.#options;
    const route = request.routeOptions.config.route ?? (isPage(request) ? fallback : undefined);
    if (route === undefined) return;
    request.found.caller = await guard({
      endpoint: route.endpoint,
      raw: request.raw,
      url: request.url,
      search: request.found.search,
      ip: request.found.ip,
      requestId: request.found.requestId,
      signal: gone.signal,
      setHeader: (name, value) => reply.header(name, value),
    });
  }

  async #handle(route: BoundRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { found } = request;
    const { caller } = found;
    if (caller === undefined) throw new Error("a handler ran before its guard");
    if (found.contentType !== undefined) request.headers["content-type"] = found.contentType;
    const { clock, log, nobody } = this.#options;
    const ctx = newCtx({
      actor: caller.kind === "anonymous" ? nobody : caller.subject,
      signal: found.gone.signal,
      log: log.with({ request_id: found.requestId }),
      requestId: found.requestId,
      clock,
      origin: { ip: found.ip, userAgent: request.headers["user-agent"] ?? "" },
    });
    const result = await route.handle(ctx, {
      params: paramsOf(route.endpoint, request.params),
      search: found.search,
      headers: request.headers,
      bytes: request.body instanceof Uint8Array ? request.body : undefined,
      caller,
      ip: found.ip,
      userAgent: request.headers["user-agent"] ?? "",
      url: request.url,
      upgrade: found.upgrade !== undefined,
    });
    const sorted = sortResult(result);
    switch (sorted.kind) {
      case "body":
        return this.#sendBody(route.endpoint, reply, firstSuccess(route.endpoint), sorted.body);
      case "reply":
        setOptions(reply, sorted.reply);
        return this.#sendBody(route.endpoint, reply, sorted.reply.status, sorted.reply.body);
      case "raw":
        setOptions(reply, sorted.reply);
        return reply.code(sorted.reply.status).send(rawBody(sorted.reply.body));
      case "stream":
        return this.#sendStream(sorted.stream, request, reply);
    }
  }

  #sendBody(endpoint: Endpoint, reply: FastifyReply, status: number, body: unknown): FastifyReply {
    const schema = endpoint.responses[status];
    reply.code(status);
    if (schema === null || schema === undefined) return reply.send();
    if (isRaw(schema)) {
      if (!reply.hasHeader("content-type")) reply.header("content-type", schema.raw);
      return reply.send(body);
    }
    if (this.#options.checkResponses) schema.parse(body);
    return reply.header("content-type", jsonType).send(`${encode(schema, body)}\n`);
  }

  async #sendStream(stream: Stream, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { upgrade, gone } = request.found;
    const sorted = streamKind(stream);
    if (sorted.kind === "events" && sorted.stream.transport === "sse") {
      return reply.headers(sseHeaders).send(sseBody(sorted.stream, this.#options.clock, gone.signal));
    }
    if (upgrade === undefined) {
      return reply
        .code(426)
        .headers({ connection: "Upgrade", upgrade: "websocket", "content-type": "text/plain; charset=utf-8" })
        .send("This route speaks WebSocket: the request must ask for an upgrade.\n");
    }
    if (!(sorted.kind === "bytes" && sorted.stream.anyOrigin) && foreignOrigin(request.raw)) {
      return reply
        .code(403)
        .header("content-type", "text/plain; charset=utf-8")
        .send("The request's origin is not this server.\n");
    }
    reply.hijack();
    const { socket } = upgrade;
    reply.raw.detachSocket(socket as Socket);
    socket.on("close", () => gone.abort(new Error("the client went away")));
    const headers = [
      `X-Coder-Build-Version: ${this.#options.version}`,
      `X-Coder-Request-Id: ${request.found.requestId}`,
      "Vary: Cookie",
    ];
    await this.#sockets.serve({ ...upgrade, headers }, stream, gone.signal);
    return reply;
  }

  #onError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (errorResponse(error).status >= 500) {
      this.#options.log.error("a request failed", {
        error,
        request_id: request.found.requestId,
        method: request.method,
        route: request.routeOptions.url,
      });
    }
    if (isTooLarge(error)) return this.#sendTooLarge(request, reply);
    return this.#sendError(reply, error);
  }

  #sendTooLarge(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const endpoint = request.routeOptions.config.route?.endpoint;
    const status = endpoint?.tooLarge ?? 413;
    const detail = `it may have at most ${endpoint?.bodyLimit ?? defaultBodyLimit} bytes`;
    const text = encode(Response, { message: "The request body is too large.", detail });
    return reply.code(status).header("content-type", jsonType).send(`${text}\n`);
  }

  #sendError(reply: FastifyReply, error: unknown): FastifyReply {
    if (error instanceof Redirect) return reply.code(error.status).headers(error.headers).send();
    if (error instanceof TextError) {
      return reply
        .code(error.status)
        .header("content-type", "text/plain; charset=utf-8")
        .send(`${error.message}\n`);
    }
    const { status, headers, text } = errorResponse(error);
    return reply.code(status).headers(headers).header("content-type", jsonType).send(`${text}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.#sockets[Symbol.asyncDispose]();
    await this.app.close();
  }
}

const isPage = ({ method, url }: FastifyRequest): boolean =>
  (method === "GET" || method === "HEAD") && !/^\/+api(?:\/|$)/.test(url);

const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === "OPTIONS" &&
  headers.origin !== undefined &&
  headers["access-control-request-method"] !== undefined;

const pathOf = (url: string): string => url.split("?")[0]?.replaceAll(/\/{2,}/g, "/") ?? "";

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "FST_ERR_CTP_BODY_TOO_LARGE";

function firstSuccess(endpoint: Endpoint): number {
  return Number(Object.keys(endpoint.responses)[0] ?? 200);
}

function setOptions(reply: FastifyReply, options: ReplyOptions): void {
  if (options.headers !== undefined) reply.headers(options.headers);
  for (const cookie of options.cookies ?? []) reply.header("set-cookie", cookie);
}

function rawBody(body: string | Uint8Array | Readable | undefined): string | Buffer | Readable | undefined {
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : body;
}

/** The router calls the rest of a path `*`; the contract has a name for it. */
function paramsOf(endpoint: Endpoint, params: unknown): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  if (typeof params === "object" && params !== null) {
    for (const [name, value] of Object.entries(params)) {
      out[name === "*" ? (paramNames(endpoint.path).at(-1) ?? name) : name] = String(value);
    }
  }
  return out;
}
