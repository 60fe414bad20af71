/**
 * DRPC server: answers one call on one stream (spec network §3.5). Sessions call `serveDrpc` for each stream that the
 * peer opens; `serveSession` does so for a whole yamux session.
 *
 * A handler's exception becomes an Error packet: its text and, for a DrpcError, its code. A method of a known service
 * without a handler answers code 12; an unknown name answers code 0 with "unknown rpc", which clients test for.
 */
import type { Duplex } from "node:stream";
import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Call, DrpcError } from "./call.ts";
import { encode, MessageStream } from "./messages.ts";
import { decodeMetadata, type Metadata } from "./metadata.ts";
import { rpcName } from "./client.ts";
import { DrpcProtocolError, packetKind } from "./wire.ts";

/** What a handler knows about its call. */
export interface CallInfo {
  /** Aborts when the caller is gone or has cancelled. */
  readonly signal: AbortSignal;
  readonly metadata: Metadata;
}

type Answer<O extends DescMessage> = MessageInitShape<O> | Promise<MessageInitShape<O>>;

/** Streaming handlers get the stream and answer on it; the call ends when they return. */
export type MethodHandler<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, info: CallInfo) => Answer<O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, stream: MessageStream<O, I>, info: CallInfo) => Promise<void>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (stream: MessageStream<O, I>, info: CallInfo) => Answer<O>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (stream: MessageStream<O, I>, info: CallInfo) => Promise<void>
          : never;

export type Handlers<S extends DescService> = {
  readonly [K in keyof S["method"]]?: MethodHandler<S["method"][K]>;
};

type AnyHandler = (...parameters: readonly unknown[]) => unknown;

interface Route {
  readonly method: DescMethod;
  readonly handler: AnyHandler | undefined;
}

/** Methods by rpc name. */
export type DrpcRouter = ReadonlyMap<string, Route>;

/** The routes of one service. Join those of several with `joinRouters`. */
export function drpcRouter<S extends DescService>(service: S, handlers: Handlers<S>): DrpcRouter {
  // Handlers<S> ties each handler to its method; from here on the method's kind says how it is called.
  const table = handlers as Readonly<Record<string, AnyHandler | undefined>>;
  const routes = new Map<string, Route>();
  for (const method of service.methods) {
    const handler = table[method.localName];
    routes.set(rpcName(method), { method, handler: handler?.bind(handlers) });
  }
  return routes;
}

export function joinRouters(...routers: readonly DrpcRouter[]): DrpcRouter {
  return new Map(routers.flatMap((router) => [...router]));
}

/** Serves the one call of `stream`; resolves when it is over. Never rejects. */
export async function serveDrpc(stream: Duplex, router: DrpcRouter): Promise<void> {
  const call = new Call(stream);
  try {
    await answer(call, router);
  } catch (error) {
    call.fail(error);
  }
}

/** Serves every stream that the peer opens; resolves when the session is over. */
export async function serveSession(
  session: { incoming(): AsyncIterable<Duplex> },
  router: DrpcRouter,
): Promise<void> {
  for await (const stream of session.incoming()) void serveDrpc(stream, router);
}

async function answer(call: Call, router: DrpcRouter): Promise<void> {
  let first = await call.next();
  let metadata: Metadata = {};
  if (first?.kind === packetKind.invokeMetadata) {
    metadata = decodeMetadata(first.data);
    first = await call.next();
  }
  if (first?.kind !== packetKind.invoke) {
    throw new DrpcProtocolError(`a call begins with Invoke: received packet kind ${first?.kind ?? "none"}`);
  }
  const name = first.data.toString("utf8");
  const route = router.get(name);
  if (!route) throw new DrpcError(`protocol error: unknown rpc: ${JSON.stringify(name)}`);
  if (!route.handler) throw new DrpcError("Unimplemented", 12n);
  await run(call, route.method, route.handler, { signal: call.signal, metadata });
}

async function run(call: Call, method: DescMethod, handler: AnyHandler, info: CallInfo): Promise<void> {
  const stream = new MessageStream(call, method.output, method.input);
  switch (method.methodKind) {
    case "unary":
      return sendAnswer(call, method.output, await handler(await request(stream), info));
    case "client_streaming":
      return sendAnswer(call, method.output, await handler(stream, info));
    case "server_streaming":
      await handler(await request(stream), stream, info);
      return call.answer({ kind: packetKind.closeSend });
    case "bidi_streaming":
      await handler(stream, info);
      return call.answer({ kind: packetKind.close });
  }
}

async function request(stream: MessageStream<DescMessage, DescMessage>): Promise<unknown> {
  const message = await stream.receive();
  if (!message) throw new DrpcProtocolError("the call has no request message");
  return message;
}

async function sendAnswer(call: Call, schema: DescMessage, message: unknown): Promise<void> {
  // MethodHandler makes every handler return the init shape of its method's output.
  const data = encode(schema, message as MessageInitShape<DescMessage>);
  await call.send({ kind: packetKind.message, data });
  call.answer({ kind: packetKind.closeSend });
}
