/** `Set-Cookie` values (spec api §2.4). */
import { hostSessionCookie, sessionCookie } from "./token.ts";

export interface CookieOptions {
  readonly secure: boolean;
  readonly sameSite: "lax" | "none";
  /** `__Host-` before the name, so that no subdomain can set it. */
  readonly hostPrefix: boolean;
}

const yearSeconds = 31_536_000;

export const sessionCookieName = (options: CookieOptions): string =>
  options.hostPrefix ? hostSessionCookie : sessionCookie;

function attributes(options: CookieOptions): string {
  const secure = options.secure || options.hostPrefix ? "; Secure" : "";
  return `${secure}; SameSite=${options.sameSite === "lax" ? "Lax" : "None"}`;
}

/** Lives a year whatever the session does: the session's own end decides. */
export function setSessionCookie(token: string, options: CookieOptions): string {
  return `${sessionCookieName(options)}=${token}; Path=/; Max-Age=${yearSeconds}; HttpOnly${attributes(options)}`;
}

export function clearSessionCookie(options: CookieOptions): string {
  return `${sessionCookieName(options)}=; Path=/; Max-Age=0${attributes(options)}`;
}

export function setCsrfCookie(token: string, options: CookieOptions): string {
  return `csrf_token=${token}; Path=/; Max-Age=${yearSeconds}; HttpOnly${attributes({ ...options, hostPrefix: false })}`;
}
