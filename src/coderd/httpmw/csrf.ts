/**
 * Cross-site request forgery (spec api §2.5): a browser sends its session cookie along with requests that other sites
 * make, so an unsafe request by cookie must also show something that other sites cannot know.
 */
import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { bearerToken, cookieValue, sessionCookie } from "./token.ts";

export const csrfCookie = "csrf_token";
const tokenBytes = 32;

export interface CsrfFacts {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly search: URLSearchParams;
  readonly exempt: boolean;
  readonly cookieName?: string;
}

export type CsrfResult = "ok" | "mismatch" | "missing";

const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** `mismatch`: cookie and header are both there and differ. Pure. */
export function checkCsrf(facts: CsrfFacts): CsrfResult {
  const { headers, search, path } = facts;
  if (safeMethods.has(facts.method) || facts.exempt) return "ok";
  if (!path.startsWith("/api") && !path.startsWith("/oauth2/authorize")) return "ok";
  const cookie = cookieValue(headers, facts.cookieName ?? sessionCookie);
  if (cookie === undefined || cookie === "") return "ok";
  const header = headers["coder-session-token"];
  if (header === cookie || search.get(sessionCookie) === cookie) return "ok";
  if (bearerToken(headers) !== "") return "ok";
  if (headers["coder-provisioner-daemon-key"] || headers["coder-provisioner-daemon-psk"]) return "ok";
  const real = cookieValue(headers, csrfCookie);
  const sent = headers["x-csrf-token"];
  if (real !== undefined && typeof sent === "string" && csrfMatches(sent, real)) return "ok";
  return header ? "mismatch" : "missing";
}

/** A new value for the cookie. */
export const newCsrfToken = (rand: Rand): string => rand.bytes(tokenBytes).toString("base64");

/** The cookie's value as it may stand in a page: different every time, so that compression cannot leak it. */
export function maskCsrf(real: string, rand: Rand): string {
  const pad = rand.bytes(tokenBytes);
  return Buffer.concat([pad, xor(Buffer.from(real, "base64"), pad)]).toString("base64");
}

/** Whether the masked (or plain) token that was sent belongs to the cookie. */
export function csrfMatches(sent: string, real: string): boolean {
  const expected = Buffer.from(real, "base64");
  const given = Buffer.from(sent, "base64");
  if (expected.length !== tokenBytes) return false;
  if (given.length === tokenBytes) return timingSafeEqual(given, expected);
  if (given.length !== 2 * tokenBytes) return false;
  return timingSafeEqual(xor(given.subarray(tokenBytes), given.subarray(0, tokenBytes)), expected);
}

function xor(bytes: Uint8Array, pad: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte, at) => byte ^ (pad[at] ?? 0)));
}
