/** Where a request carries its credential: five places, the first that is not empty wins (spec api §2.1). Pure. */
import type { IncomingHttpHeaders } from "node:http";

export const sessionCookie = "coder_session_token";
export const hostSessionCookie = "__Host-coder_session_token";

export type TokenPlace = "cookie" | "query" | "header" | "bearer" | "access_token";

export interface FoundToken {
  readonly token: string;
  readonly place: TokenPlace;
}

/** A cookie's value; undefined if the request does not have it. */
export function cookieValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const header = headers.cookie;
  if (header === undefined || !header.includes(name)) return undefined;
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) {
      return pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, "$1");
    }
  }
  return undefined;
}

export function bearerToken(headers: IncomingHttpHeaders): string {
  const match = /^bearer\s+(.*)$/i.exec(headers.authorization ?? "");
  return match?.[1]?.trim() ?? "";
}

const headerText = (value: string | readonly string[] | undefined): string =>
  typeof value === "string" ? value : (value?.[0] ?? "");

export function findToken(
  headers: IncomingHttpHeaders,
  search: URLSearchParams,
  cookieName: string = sessionCookie,
): FoundToken | undefined {
  const cookie = cookieValue(headers, cookieName);
  if (cookie !== undefined && cookie !== "") return { token: cookie, place: "cookie" };
  const query = search.get(sessionCookie) ?? "";
  if (query !== "") return { token: query, place: "query" };
  const header = headerText(headers["coder-session-token"]);
  if (header !== "") return { token: header, place: "header" };
  const bearer = bearerToken(headers);
  if (bearer !== "") return { token: bearer, place: "bearer" };
  const access = search.get("access_token") ?? "";
  return access === "" ? undefined : { token: access, place: "access_token" };
}

export interface SessionToken {
  readonly id: string;
  readonly secret: string;
}

/** Id and secret of `<10>-<22>` characters; undefined for every other form. */
export function splitSessionToken(token: string): SessionToken | undefined {
  const match = /^([0-9A-Za-z]{10})-([0-9A-Za-z]{22})$/.exec(token);
  const [, id, secret] = match ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}
