/**
 * The dashboard's one HTML page, for every path that no route knows. It is never kept: it carries this browser's CSRF
 * token. The policy lets in what the build made and nothing else; only a terminal's page may set styles while it runs,
 * because the terminal measures fonts that way.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { rawReply, type RawReply } from "../httpapi/reply.ts";
import { type CookieOptions, setCsrfCookie } from "../httpmw/cookies.ts";
import { csrfCookie, maskCsrf, newCsrfToken } from "../httpmw/csrf.ts";
import { cookieValue } from "../httpmw/token.ts";
import type { Site } from "./site.ts";

export interface IndexDeps {
  /** Undefined: this server has no dashboard. */
  readonly site: Site | undefined;
  readonly rand: Rand;
  readonly cookies: CookieOptions;
  readonly accessUrl: () => string;
}

interface PageRequest {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
}

/** Undefined if there is no dashboard: the caller answers with a page of its own. */
export async function indexPage(
  deps: IndexDeps,
  { headers, url }: PageRequest,
): Promise<RawReply | undefined> {
  const loaded = await deps.site?.current();
  if (loaded === undefined) return undefined;
  const known = cookieValue(headers, csrfCookie);
  const real = known ?? newCsrfToken(deps.rand);
  // Base64: nothing in it needs escaping in an attribute.
  const body = loaded.index.replace("{{csrf}}", maskCsrf(real, deps.rand));
  return rawReply(200, body, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentPolicy(loaded.inlineScriptHash, deps.accessUrl(), url),
      "cache-control": "no-cache",
      "referrer-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=()",
    },
    cookies: known === undefined ? [setCsrfCookie(real, deps.cookies)] : [],
  });
}

const terminalPath = /^\/(?:@|%40)[^/]+\/[^/]+\/terminal\/?$/i;

/** Pure. `url` is the path and query that the browser asked for. */
export function contentPolicy(inlineScriptHash: string, accessUrl: string, url: string): string {
  const path = url.split("?")[0] ?? "";
  const { host } = new URL(accessUrl);
  const styles = terminalPath.test(path) ? "'self' 'unsafe-inline'" : "'self'";
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${inlineScriptHash}'`,
    `style-src ${styles}`,
    // Icons of templates and apps lie wherever their authors put them.
    "img-src 'self' data: https:",
    "font-src 'self' data:",
    `connect-src 'self' ws://${host} wss://${host}`,
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'self'",
    "report-uri /api/v2/csp/reports",
  ].join("; ");
}
