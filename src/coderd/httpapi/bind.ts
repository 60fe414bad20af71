/**
 * Binds a handler to an endpoint of the contract. A domain's routes.ts exports `routes(deps): BoundRoute[]`; server.ts
 * runs them. By the time a handler runs, its caller is known and allowed in; it loads first (unreadable = 404), then reads
 * `req.query()` and `req.body()` (400), then acts (403). What it throws is mapped in error-response.ts.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { BodyOf, Endpoint, ParamsOf, QueryOf } from "#codersdk/endpoint.ts";
import { parseUuid } from "#codersdk/uuid.ts";
import type { Ctx } from "../ctx.ts";
import { Invalid } from "../errors.ts";
import type { Caller, CallerOf } from "../httpmw/caller.ts";
import { readBody } from "./json.ts";
import { readQuery } from "./query.ts";
import type { HandlerResult } from "./reply.ts";

/** What every request has, before its endpoint gives it types. */
export interface RawRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly search: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array | undefined;
  readonly caller: Caller;
  /** Address of the client, forwarded headers of trusted proxies considered. */
  readonly ip: string;
  readonly userAgent: string;
  /** Path and query as on the wire. */
  readonly url: string;
  /** Whether the client asks for a WebSocket. */
  readonly upgrade: boolean;
}

export interface Req<E extends Endpoint> {
  readonly params: ParamsOf<E>;
  readonly caller: CallerOf<E["auth"]>;
  /** Throws `Invalid`. */
  query(): QueryOf<E>;
  /** Throws `Invalid`. */
  body(): BodyOf<E>;
  /** The body as it came; empty if there was none. */
  readonly bytes: Uint8Array;
  readonly search: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly ip: string;
  readonly userAgent: string;
  readonly url: string;
  readonly upgrade: boolean;
}

export interface BoundRoute {
  readonly endpoint: Endpoint;
  readonly handle: (ctx: Ctx, request: RawRequest) => Promise<unknown>;
}

export type Handler<E extends Endpoint> = (
  ctx: Ctx,
  req: Req<E>,
) => Promise<HandlerResult<E>> | HandlerResult<E>;

export function bind<E extends Endpoint>(endpoint: E, handler: Handler<E>): BoundRoute {
  return { endpoint, handle: async (ctx, request) => handler(ctx, typed(endpoint, request)) };
}

const noBytes = new Uint8Array();

function typed<E extends Endpoint>(endpoint: E, request: RawRequest): Req<E> {
  const { body: schema } = endpoint;
  return {
    // The router matched this endpoint's path, and server.ts admitted only callers that its `auth` allows.
    params: uuidParams(endpoint, request.params) as ParamsOf<E>,
    caller: request.caller as CallerOf<E["auth"]>,
    query: () => readQuery(endpoint, request.search),
    body: () =>
      (schema === undefined || schema === "raw" ? undefined : readBody(schema, request.bytes)) as BodyOf<E>,
    bytes: request.bytes ?? noBytes,
    search: request.search,
    headers: request.headers,
    ip: request.ip,
    userAgent: request.userAgent,
    url: request.url,
    upgrade: request.upgrade,
  };
}

function uuidParams(endpoint: Endpoint, params: RawRequest["params"]): RawRequest["params"] {
  if (endpoint.uuidParams === undefined) return params;
  const out: Record<string, string> = { ...params };
  for (const name of endpoint.uuidParams) out[name] = uuidParam(params[name] ?? "");
  return out;
}

/** The canonical form of a path parameter that must be a uuid; throws `Invalid`. */
export function uuidParam(text: string): string {
  const parsed = parseUuid(text);
  if (parsed === undefined) throw new Invalid(`Invalid UUID ${JSON.stringify(text)}.`);
  return parsed;
}
