/** Forms of pages: what was sent, and that it was sent from our own page. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import { type CookieOptions, setCsrfCookie } from "../httpmw/cookies.ts";
import { csrfCookie, csrfMatches, maskCsrf, newCsrfToken } from "../httpmw/csrf.ts";
import { cookieValue } from "../httpmw/token.ts";
import { html, type Html } from "./html.ts";

interface Request {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Uint8Array;
}

/** Undefined: the form was not sent from a page of ours. */
export function readForm({ headers, bytes }: Request): URLSearchParams | undefined {
  const { origin, host } = headers;
  if (typeof origin === "string" && (!URL.canParse(origin) || new URL(origin).host !== host)) {
    return undefined;
  }
  const form = new URLSearchParams(new TextDecoder().decode(bytes));
  const real = cookieValue(headers, csrfCookie);
  if (real === undefined || !csrfMatches(form.get("csrf") ?? "", real)) return undefined;
  return form;
}

export interface FormProof {
  /** Goes into the form. */
  readonly field: Html;
  /** To be set with the page, when the browser has none. */
  readonly cookies: readonly string[];
}

export function formProof(headers: Request["headers"], rand: Rand, cookies: CookieOptions): FormProof {
  const known = cookieValue(headers, csrfCookie);
  const real = known ?? newCsrfToken(rand);
  return {
    field: html`<input type="hidden" name="csrf" value="${maskCsrf(real, rand)}" />`,
    cookies: known === undefined ? [setCsrfCookie(real, cookies)] : [],
  };
}

/** Where to go after a sign-in: a path of this server, whatever was asked for. */
export function safeRedirect(wanted: string): string {
  // Browsers read backslashes as slashes and skip tabs and newlines.
  // oxlint-disable-next-line no-control-regex
  if (!/^\/(?![/\\])/.test(wanted) || /[\\\u0000-\u001f]/.test(wanted)) return "/";
  const here = "http://here.invalid";
  if (!URL.canParse(wanted, here)) return "/";
  const url = new URL(wanted, here);
  return url.origin === here && !url.pathname.startsWith("//") ? url.pathname + url.search : "/";
}
