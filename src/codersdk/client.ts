/**
 * The typed client, for Node and browsers: calls endpoints of the contract over `fetch`. Used by the command line, the
 * agent, the dashboard and tests. Answers outside the endpoint's success statuses are thrown as `ClientError`.
 */
import type { BodyOf, Endpoint, ParamsOf, QueryOf, SuccessOf } from "./endpoint.ts";
import { isRaw } from "./endpoint.ts";
import { Response as ErrorBody, type ValidationError } from "./response.ts";
import { decode } from "./wire-decode.ts";
import { browserDial, type Dial, messages, type SocketLike } from "./socket.ts";
import { encode, formatTime } from "./wire-encode.ts";
import type { Infer, Schema } from "./wire.ts";

export const sessionTokenHeader = "Coder-Session-Token";

export interface ClientOptions {
  /** Without path; a slash at its end is fine. */
  readonly url: string;
  readonly token?: string | undefined;
  /** Sent with every request, such as `User-Agent` and the user's own. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
  /** Opens WebSockets; default is the browser's. Programs under Node pass `nodeDial` of their own layer. */
  readonly dial?: Dial;
}

type Given<Key extends string, T> = keyof T extends never
  ? { readonly [K in Key]?: undefined }
  : { readonly [K in Key]: T };

type BodyInput<E extends Endpoint> = E["body"] extends "raw"
  ? { readonly body: Uint8Array | string }
  : E["body"] extends Schema
    ? { readonly body: BodyOf<E> }
    : { readonly body?: undefined };

export type CallInput<E extends Endpoint> = Given<"params", ParamsOf<E>> &
  BodyInput<E> & {
    readonly query?: Partial<QueryOf<E>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
  };

/** An answer of the server that is no success, or an answer that is none of this API. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly status: number;
  readonly method: string;
  readonly url: string;
  readonly detail: string | undefined;
  readonly validations: readonly ValidationError[];
  readonly headers: Headers;

  constructor(facts: {
    readonly status: number;
    readonly method: string;
    readonly url: string;
    readonly message: string;
    readonly detail: string | undefined;
    readonly validations: readonly ValidationError[];
    readonly headers: Headers;
  }) {
    super(facts.message);
    this.status = facts.status;
    this.method = facts.method;
    this.url = facts.url;
    this.detail = facts.detail;
    this.validations = facts.validations;
    this.headers = facts.headers;
  }
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export interface Client {
  readonly url: string;
  readonly token: string | undefined;
  /** The success body. */
  call<E extends Endpoint>(endpoint: E, ...input: Input<E>): Promise<SuccessOf<E>>;
  /** The success body with its status and headers. */
  answer<E extends Endpoint>(endpoint: E, ...input: Input<E>): Promise<Answer<SuccessOf<E>>>;
  /** The same server by another session. */
  withToken(token: string | undefined): Client;
  /** Values of a WebSocket route that sends one JSON value per message; `schema` is that of one value. */
  stream<E extends Endpoint, S extends Schema>(
    endpoint: E,
    schema: S,
    ...input: Input<E>
  ): AsyncIterable<Infer<S>>;
  /** An open WebSocket of an endpoint, for protocols of their own. */
  dial<E extends Endpoint>(endpoint: E, ...input: Input<E>): Promise<SocketLike>;
  /** URL of an endpoint, for links. */
  urlOf<E extends Endpoint>(endpoint: E, ...input: Input<E>): string;
}

type Input<E extends Endpoint> = Record<never, never> extends CallInput<E> ? [CallInput<E>?] : [CallInput<E>];

interface AnyInput {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export function newClient(options: ClientOptions): Client {
  const base = options.url.replace(/\/+$/, "");
  const send = options.fetch ?? fetch;

  async function answer(endpoint: Endpoint, input: AnyInput = {}): Promise<Answer<unknown>> {
    const url = base + pathOf(endpoint, input);
    const headers = new Headers(options.headers);
    headers.set("Accept", "application/json");
    if (options.token !== undefined) headers.set(sessionTokenHeader, options.token);
    const body = bodyOf(endpoint, input.body);
    if (typeof body === "string") headers.set("Content-Type", "application/json");
    for (const [name, value] of Object.entries(input.headers ?? {})) headers.set(name, value);
    const response = await send(url, {
      method: endpoint.method,
      headers,
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
      ...(input.signal === undefined ? {} : { signal: input.signal }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const schema = endpoint.responses[response.status];
    if (schema === undefined) throw errorOf(endpoint, url, response, bytes);
    return {
      status: response.status,
      headers: response.headers,
      body:
        schema === null
          ? undefined
          : isRaw(schema)
            ? bytes
            : readJson(schema, endpoint, url, response, bytes),
    };
  }

  function dial(endpoint: Endpoint, input: AnyInput = {}): Promise<SocketLike> {
    const headers: Record<string, string> = { ...options.headers, ...input.headers };
    if (options.token !== undefined) headers[sessionTokenHeader] = options.token;
    const url = (base + pathOf(endpoint, input)).replace(/^http/, "ws");
    return (options.dial ?? browserDial)(url, { headers, signal: input.signal });
  }

  async function* stream(endpoint: Endpoint, schema: Schema, input: AnyInput = {}): AsyncGenerator<unknown> {
    const socket = await dial(endpoint, input);
    for await (const text of messages(socket, input.signal)) {
      yield decode(schema, JSON.parse(text), { lenient: true });
    }
  }

  return {
    url: base,
    token: options.token,
    dial: (endpoint, ...[input]) => dial(endpoint, input),
    stream: <E extends Endpoint, S extends Schema>(endpoint: E, schema: S, ...[input]: Input<E>) =>
      stream(endpoint, schema, input) as AsyncIterable<Infer<S>>,
    // The schema that decoded the body is the one that the type is made of.
    call: async (endpoint, ...[input]) => (await answer(endpoint, input)).body as SuccessOf<typeof endpoint>,
    answer: async (endpoint, ...[input]) =>
      (await answer(endpoint, input)) as Answer<SuccessOf<typeof endpoint>>,
    withToken: (token) => newClient({ ...options, token }),
    urlOf: (endpoint, ...[input]) => base + pathOf(endpoint, input ?? {}),
  };
}

function pathOf(endpoint: Endpoint, input: AnyInput): string {
  const path = endpoint.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const rest = name.endsWith("...");
    const value = input.params?.[rest ? name.slice(0, -3) : name] ?? "";
    return rest ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    const text = queryText(endpoint.query?.[name], value);
    if (text !== undefined) search.set(name, text);
  }
  const query = search.toString();
  return query === "" ? path : `${path}?${query}`;
}

function queryText(kind: string | undefined, value: unknown): string | undefined {
  if (value === undefined || value === "") return undefined;
  if (kind === "present" && value === false) return undefined;
  if (value instanceof Date) return formatTime(value);
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(",");
  if (typeof value === "number") return kind === "durationMs" ? `${value}ms` : String(value);
  return typeof value === "boolean" || typeof value === "string" ? String(value) : undefined;
}

function bodyOf(endpoint: Endpoint, body: unknown): string | Uint8Array<ArrayBuffer> | undefined {
  const { body: schema } = endpoint;
  if (schema === undefined) return undefined;
  if (schema !== "raw") return encode(schema, body);
  return body instanceof Uint8Array ? new Uint8Array(body) : String(body);
}

function readJson(
  schema: Schema,
  endpoint: Endpoint,
  url: string,
  response: Response,
  bytes: Uint8Array,
): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return decode(schema, JSON.parse(text), { lenient: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClientError({
      status: response.status,
      method: endpoint.method,
      url,
      message: `The server's answer is not what this API says: ${reason}`,
      detail: text.slice(0, 2048),
      validations: [],
      headers: response.headers,
    });
  }
}

function errorOf(endpoint: Endpoint, url: string, response: Response, bytes: Uint8Array): ClientError {
  const facts = { status: response.status, method: endpoint.method, url, headers: response.headers };
  const text = new TextDecoder().decode(bytes.subarray(0, 2048));
  if ((response.headers.get("content-type") ?? "").startsWith("application/json")) {
    try {
      const body = decode(ErrorBody, JSON.parse(new TextDecoder().decode(bytes)), { lenient: true });
      return new ClientError({
        ...facts,
        message: body.message,
        detail: body.detail,
        validations: body.validations ?? [],
      });
    } catch {
      // Not the error form: shown as the text that it is.
    }
  }
  const message = `unexpected answer ${response.status} from ${endpoint.method} ${url.split("?")[0]}`;
  return new ClientError({ ...facts, message, detail: text, validations: [] });
}
