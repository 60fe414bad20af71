/**
 * What a handler may return instead of a plain body: another status, headers, cookies, bytes, or a stream. A plain body
 * means the endpoint's first success status.
 */
import type { Duplex, Readable } from "node:stream";
import type { Endpoint, ResponseOf, StatusOf, SuccessOf } from "#codersdk/endpoint.ts";
import type { Infer, Schema } from "#codersdk/wire.ts";
import type { MessageSocket } from "./socket.ts";

export interface ReplyOptions {
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Complete `Set-Cookie` values. */
  readonly cookies?: readonly string[];
}

/** The brand keeps a plain body of the same shape from being taken for a reply. */
const brand = Symbol("reply");

export interface Reply<Status extends number, Body> extends ReplyOptions {
  readonly [brand]: "reply";
  readonly status: Status;
  readonly body: Body;
}

/** Bytes or text with its own media type, also for statuses that the contract does not list (redirects, pages). */
export interface RawReply extends ReplyOptions {
  readonly [brand]: "raw";
  readonly status: number;
  readonly body: string | Uint8Array | Readable | undefined;
}

export interface ServerEvent<T> {
  readonly type: "data" | "ping" | "error";
  readonly data?: T;
}

/** Server-sent events over HTTP, or, on a `websocket` route, the same events one per text message. */
export interface EventStream {
  readonly [brand]: "events";
  readonly transport: "sse" | "websocket";
  readonly schema: Schema;
  readonly events: (signal: AbortSignal) => AsyncIterable<ServerEvent<unknown>>;
}

/** One JSON value per message, server to client; the end of the iteration closes with 1000 "done". */
export interface JsonStream {
  readonly [brand]: "json";
  readonly schema: Schema;
  readonly binary: boolean;
  readonly values: (signal: AbortSignal) => AsyncIterable<unknown>;
}

/** Messages both ways. */
export interface MessageStream {
  readonly [brand]: "messages";
  readonly run: (socket: MessageSocket, signal: AbortSignal) => Promise<void>;
}

/** A byte stream over binary messages. The handler owns the stream until its promise settles. */
export interface ByteStream {
  readonly [brand]: "bytes";
  /** Negotiated with the client when it offers it. */
  readonly subprotocol: string | undefined;
  /** Browsers of every origin may connect. */
  readonly anyOrigin: boolean;
  readonly run: (stream: Duplex, signal: AbortSignal) => Promise<void>;
}

export type Stream = EventStream | JsonStream | MessageStream | ByteStream;

type ReplyOf<E extends Endpoint> = { [S in StatusOf<E>]: Reply<S, ResponseOf<E, S>> }[StatusOf<E>];

export type HandlerResult<E extends Endpoint> = SuccessOf<E> | ReplyOf<E> | RawReply | Stream;

export function reply<const Status extends number, Body>(
  status: Status,
  body: Body,
  options: ReplyOptions = {},
): Reply<Status, Body> {
  return { [brand]: "reply", status, body, ...options };
}

export function rawReply(status: number, body: RawReply["body"], options: ReplyOptions = {}): RawReply {
  return { [brand]: "raw", status, body, ...options };
}

export function redirect(status: 302 | 303 | 307, location: string, options: ReplyOptions = {}): RawReply {
  return rawReply(status, undefined, { ...options, headers: { ...options.headers, location } });
}

/** No body, as in 304 and 204 answers that the contract does not list. */
export const noBody = (status: number, options: ReplyOptions = {}): RawReply =>
  rawReply(status, undefined, options);

export function eventStream<S extends Schema>(
  transport: "sse" | "websocket",
  schema: S,
  events: (signal: AbortSignal) => AsyncIterable<ServerEvent<unknown>>,
): EventStream {
  return { [brand]: "events", transport, schema, events };
}

export function jsonStream<S extends Schema>(
  schema: S,
  values: (signal: AbortSignal) => AsyncIterable<Infer<S>>,
  options: { readonly binary?: boolean } = {},
): JsonStream {
  return { [brand]: "json", schema, values, binary: options.binary ?? false };
}

export function messageStream(run: MessageStream["run"]): MessageStream {
  return { [brand]: "messages", run };
}

export function byteStream(
  run: ByteStream["run"],
  options: { readonly subprotocol?: string; readonly anyOrigin?: boolean } = {},
): ByteStream {
  return { [brand]: "bytes", run, subprotocol: options.subprotocol, anyOrigin: options.anyOrigin ?? false };
}

type Special = Reply<number, unknown> | RawReply | Stream;

const isSpecial = (result: unknown): result is Special =>
  typeof result === "object" && result !== null && brand in result;

/** A handler's result, sorted by what has to be done with it. */
export type Sorted =
  | { readonly kind: "body"; readonly body: unknown }
  | { readonly kind: "reply"; readonly reply: Reply<number, unknown> }
  | { readonly kind: "raw"; readonly reply: RawReply }
  | { readonly kind: "stream"; readonly stream: Stream };

export function sortResult(result: unknown): Sorted {
  if (!isSpecial(result)) return { kind: "body", body: result };
  switch (result[brand]) {
    case "reply":
      return { kind: "reply", reply: result };
    case "raw":
      return { kind: "raw", reply: result };
    default:
      return { kind: "stream", stream: result };
  }
}

/** Which kind of stream; the brand itself stays private to this file. */
export function streamKind(stream: Stream) {
  switch (stream[brand]) {
    case "events":
      return { kind: "events", stream } as const;
    case "json":
      return { kind: "json", stream } as const;
    case "messages":
      return { kind: "messages", stream } as const;
    case "bytes":
      return { kind: "bytes", stream } as const;
  }
}
