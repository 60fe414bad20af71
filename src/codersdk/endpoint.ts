/**
 * One endpoint as data. Domain files declare theirs (users.ts, templates.ts …), contract.ts lists them all; the router,
 * the typed client, OpenAPI, the API docs and the contract test read that list.
 */
import type { Infer, Schema } from "./wire.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Who may call: the names of `auth` in the API's recorded facts. */
export type Auth =
  | "none"
  | "session"
  /** 303 to the sign-in page instead of 401. */
  | "session-or-login-redirect"
  | "session|proxy"
  | "session|provisioner_key|provisioner_psk"
  | "agent"
  | "provisioner_key"
  /** An API session, or the signed token of one terminal. */
  | "session|signed_app_token"
  | "proxy";

export type Rate = "api" | "files" | "login" | "none";

/** A query parameter; the kind says how its text is read and what the handler gets when it is absent. */
export type QueryKind =
  | "string" // ""
  | "bool" // false
  | "optionalBool" // undefined
  | "present" // false; true when the name is there, whatever its value (`?follow`)
  | "int" // 0; 32 bits, not negative
  | "int64" // 0
  | "uuid" // undefined
  | "uuids" // []; comma separated or repeated
  | "strings" // []; comma separated or repeated
  | "time" // undefined; RFC 3339
  | "durationMs"; // undefined; Go's text form, such as 24h

export interface QueryValues {
  readonly string: string;
  readonly bool: boolean;
  readonly optionalBool: boolean | undefined;
  readonly present: boolean;
  readonly int: number;
  readonly int64: number;
  readonly uuid: string | undefined;
  readonly uuids: readonly string[];
  readonly strings: readonly string[];
  readonly time: Date | undefined;
  readonly durationMs: number | undefined;
}

/** How a 2xx body that is not JSON of a schema is described: its media type. */
export interface Raw {
  readonly raw: string;
}

export interface EndpointSpec {
  readonly method: Method;
  /** `{name}` is a parameter; `{name...}` at the end takes the rest of the path, slashes included. */
  readonly path: string;
  readonly auth: Auth;
  /** Default `api`. `login` and `files` count on top of `api`. */
  readonly rate?: Rate;
  /** No CSRF check, even with a cookie. */
  readonly csrf?: "exempt";
  /** Path parameters that must be uuids (400 `Invalid UUID "x".`). The handler gets the canonical form. */
  readonly uuidParams?: readonly string[];
  readonly query?: Readonly<Record<string, QueryKind>>;
  /** Answers HEAD too; elsewhere it is 405. */
  readonly head?: true;
  /** Refuse query parameters that `query` does not name. */
  readonly strictQuery?: true;
  /** Request body; `raw` is bytes. */
  readonly body?: Schema | "raw";
  /** Most bytes of a request body; default 1 MiB. */
  readonly bodyLimit?: number;
  /** Status above `bodyLimit`; default 413. */
  readonly tooLarge?: 400 | 413;
  /** Success statuses and their bodies; `null` is none. Errors are `Response` everywhere and not listed. */
  readonly responses: Readonly<Record<number, Schema | Raw | null>>;
  /** What the handler may answer with instead of a plain body. */
  readonly stream?: readonly ("sse" | "websocket")[];
  /** Experiment that must be on (403 else). */
  readonly experiment?: string;
  /** `<action> <target>` as in the audit log. */
  readonly audit?: string;
  /** Ours, not upstream's: left out of the comparison with the recorded routes. */
  readonly ours?: true;
  /** One line for the docs. */
  readonly summary: string;
}

export type Endpoint = EndpointSpec;

/** Declares an endpoint, keeping its literal types for handlers and clients. */
export function endpoint<const E extends EndpointSpec>(spec: E): E {
  return spec;
}

type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${infer Bare}...` ? Bare : Name) | ParamNames<Rest>
  : never;

export type ParamsOf<E extends Endpoint> = Readonly<Record<ParamNames<E["path"]>, string>>;

export type QueryOf<E extends Endpoint> =
  E["query"] extends Readonly<Record<string, QueryKind>>
    ? { readonly [K in keyof E["query"]]: QueryValues[E["query"][K]] }
    : Readonly<Record<never, never>>;

export type BodyOf<E extends Endpoint> = E["body"] extends Schema ? Infer<E["body"]> : undefined;

type ValueOf<S> = S extends Schema ? Infer<S> : S extends Raw ? Uint8Array : undefined;

export type StatusOf<E extends Endpoint> = keyof E["responses"] & number;
export type ResponseOf<E extends Endpoint, Status extends StatusOf<E>> = ValueOf<E["responses"][Status]>;
/** Any success body. */
export type SuccessOf<E extends Endpoint> = { [S in StatusOf<E>]: ResponseOf<E, S> }[StatusOf<E>];

export const isRaw = (body: Schema | Raw | null | undefined): body is Raw =>
  body !== null && body !== undefined && "raw" in body;

/** Names of the path's parameters, in order. */
export function paramNames(path: string): string[] {
  return Array.from(path.matchAll(/\{([^}]+)\}/g), (match) => (match[1] ?? "").replace(/\.\.\.$/, ""));
}
