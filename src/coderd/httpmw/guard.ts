/**
 * What stands before every handler, in this order: CSRF, who is calling, limits, whether the endpoint wants this caller.
 * Made by coderd.ts, called by httpapi/server.ts once per request.
 */
import type { IncomingMessage } from "node:http";
import type { Endpoint } from "#codersdk/endpoint.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { type Ctx, newCtx } from "../ctx.ts";
import { ApiError, Forbidden, Unauthorized } from "../errors.ts";
import { Redirect, TextError } from "../httpapi/error-response.ts";
import { actors } from "../rbac/actors.ts";
import {
  authenticateAgent,
  type AuthenticateDeps,
  authenticateProvisioner,
  authenticateSession,
  type Credentials,
  signedOut,
  unauthorized,
} from "./authenticate.ts";
import type { Caller } from "./caller.ts";
import { type CookieOptions, sessionCookieName, setCsrfCookie } from "./cookies.ts";
import { checkCsrf, csrfCookie, newCsrfToken } from "./csrf.ts";
import { RateLimiter } from "./ratelimit.ts";
import { cookieValue } from "./token.ts";

export interface GuardedRequest {
  readonly endpoint: Endpoint;
  readonly raw: IncomingMessage;
  readonly url: string;
  readonly search: URLSearchParams;
  readonly ip: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** A header of the answer, whatever it will be. */
  setHeader(name: string, value: string): void;
}

/** Throws what must be answered instead of running the handler. */
export type Guard = (request: GuardedRequest) => Promise<Caller>;

export interface RateLimits {
  /** Requests per minute and route; below zero: no limit. */
  readonly api: number;
  readonly login: number;
  readonly files: number;
  readonly disabled: boolean;
}

export interface GuardOptions {
  readonly authentication: AuthenticateDeps;
  readonly limits: RateLimits;
  readonly cookies: CookieOptions;
  readonly experiments: readonly string[];
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
}

export function newGuard(options: GuardOptions): Guard {
  const limiter = new RateLimiter(options.clock);
  return async (request) => {
    checkForgery(options, request);
    const ctx = newCtx({
      actor: actors.system,
      signal: request.signal,
      log: options.log,
      requestId: request.requestId,
      clock: options.clock,
      origin: { ip: request.ip, userAgent: request.raw.headers["user-agent"] ?? "" },
    });
    const caller = await identify(options.authentication, ctx, request);
    limit(limiter, options.limits, request, caller);
    return admit(options, request, caller);
  };
}

function checkForgery({ cookies, rand }: GuardOptions, request: GuardedRequest): void {
  const { endpoint, raw, url, search } = request;
  const asked = raw.headers.cookie !== undefined || !endpoint.path.startsWith("/api/");
  if (asked && cookieValue(raw.headers, csrfCookie) === undefined && endpoint.rate !== "none") {
    request.setHeader("set-cookie", setCsrfCookie(newCsrfToken(rand), cookies));
  }
  const result = checkCsrf({
    method: endpoint.method,
    path: url,
    headers: raw.headers,
    search,
    exempt: endpoint.csrf === "exempt",
    cookieName: sessionCookieName(cookies),
  });
  if (result === "ok") return;
  throw new TextError(
    400,
    "Csrf",
    result === "mismatch"
      ? "The session cookie and the Coder-Session-Token header differ. Send one of them, or the same in both."
      : "This request by cookie lacks its CSRF token. Reload the page and try again.",
  );
}

async function identify(deps: AuthenticateDeps, ctx: Ctx, request: GuardedRequest): Promise<Caller> {
  const credentials: Credentials = { headers: request.raw.headers, search: request.search, ip: request.ip };
  switch (request.endpoint.auth) {
    case "agent":
      return authenticateAgent(deps, ctx, credentials);
    case "session|provisioner_key|provisioner_psk":
      return (
        (await authenticateProvisioner(deps, ctx, credentials)) ?? authenticateSession(deps, ctx, credentials)
      );
    case "provisioner_key": {
      const caller = await authenticateProvisioner(deps, ctx, credentials);
      if (caller === undefined) throw new Unauthorized("A provisioner key must be sent.");
      return caller;
    }
    case "none":
    case "session":
    case "session|signed_app_token":
    case "session-or-login-redirect":
    case "session|proxy":
    case "proxy":
      return authenticateSession(deps, ctx, credentials);
  }
}

function limit(limiter: RateLimiter, limits: RateLimits, request: GuardedRequest, caller: Caller): void {
  const { endpoint } = request;
  const rate = endpoint.rate ?? "api";
  if (limits.disabled || rate === "none") return;
  if (request.raw.headers["x-coder-bypass-ratelimit"] === "true") {
    if (caller.kind === "session" && caller.user.rbacRoles.includes("owner")) return;
    throw new ApiError(428, "RateLimitBypass", "Only owners may ask to bypass the rate limit.");
  }
  const who = caller.kind === "session" ? caller.user.id : request.ip;
  const names = rate === "api" ? (["api"] as const) : (["api", rate] as const);
  for (const name of names) {
    if (limits[name] < 0) continue;
    const key = `${name} ${who} ${endpoint.method} ${endpoint.path}`;
    const { limited, headers } = limiter.take(key, limits[name]);
    for (const [header, value] of Object.entries(headers)) request.setHeader(header, value);
    if (limited) {
      throw new ApiError(
        429,
        "RateLimited",
        `More than ${limits[name]} requests were sent in a minute. Try again later.`,
      );
    }
  }
}

function admit(
  { experiments, authentication }: GuardOptions,
  request: GuardedRequest,
  caller: Caller,
): Caller {
  const { endpoint, url } = request;
  if (endpoint.auth === "proxy") {
    throw unauthorized(authentication.accessUrl(), { detail: "Only for workspace proxies." });
  }
  if (caller.kind === "anonymous" && endpoint.auth !== "none") {
    if (endpoint.auth === "session|proxy") {
      throw new Unauthorized("A session token, or the token of a workspace proxy, must be sent.");
    }
    if (endpoint.auth !== "session-or-login-redirect") throw caller.error;
    throw new Redirect(loginUrl(signedOut, url));
  }
  if (endpoint.experiment !== undefined && !experiments.includes(endpoint.experiment)) {
    throw new Forbidden(`The experiment ${JSON.stringify(endpoint.experiment)} is not switched on.`);
  }
  return caller;
}

/** Where to sign in, and where to go after: the path of this request only, never a foreign host. */
export function loginUrl(message: string, url: string): string {
  const search = new URLSearchParams({ message, redirect: url.replace(/^[/\\]+/, "/") });
  return `/login?${search.toString()}`;
}
