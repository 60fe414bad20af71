/**
 * A gRPC server for unary calls on plain HTTP/2 (prior knowledge). A message is one byte of flags (0: not
 * compressed), four bytes of length, then the protobuf bytes; the status comes in trailers.
 *
 *     POST /tfplugin5.Provider/GetSchema    content-type: application/grpc
 *     00 nnnnnnnn <message>            →    200 · 00 nnnnnnnn <message> · trailers grpc-status: 0
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  DescMessage,
  DescMethod,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

export type GrpcHandlers<S extends DescService> = {
  readonly [Name in keyof S["method"]]: (
    request: MessageShape<S["method"][Name]["input"]>,
  ) => MessageInitShape<S["method"][Name]["output"]>;
};

/** Terraform's own limit of a message. */
const maxMessageBytes = 256 << 20;

const ok = 0;
const unimplemented = 12;
const internal = 13;

class GrpcError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A method with the types of its messages put away. */
interface BoundMethod {
  call(request: Uint8Array): Uint8Array;
}

function bind<I extends DescMessage, O extends DescMessage>(
  input: I,
  output: O,
  handler: (request: MessageShape<I>) => MessageInitShape<O>,
): BoundMethod {
  return { call: (request) => toBinary(output, create(output, handler(fromBinary(input, request)))) };
}

/** Calls by path. Lives as long as its connection. */
export class GrpcRouter {
  readonly #methods = new Map<string, BoundMethod>();

  add<S extends DescService>(service: S, handlers: GrpcHandlers<S>): this {
    for (const method of service.methods) {
      const handler: unknown = Reflect.get(handlers, method.localName);
      if (!isHandler(handler)) throw new Error(`no handler for ${method.name}`);
      this.#methods.set(`/${service.typeName}/${method.name}`, bindMethod(method, handler));
    }
    return this;
  }

  call(path: string, request: Uint8Array): Uint8Array {
    const method = this.#methods.get(path);
    if (!method) throw new GrpcError(unimplemented, `unknown method ${path}`);
    return method.call(request);
  }
}

type AnyHandler = (request: MessageShape<DescMessage>) => MessageInitShape<DescMessage>;

/** `GrpcHandlers` has tied each handler to its method's messages; the loop over methods cannot know that. */
function isHandler(value: unknown): value is AnyHandler {
  return typeof value === "function";
}

function bindMethod(method: DescMethod, handler: AnyHandler): BoundMethod {
  return bind(method.input, method.output, handler);
}

async function readMessage(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const data: Buffer = chunk;
    size += data.length;
    if (size > maxMessageBytes + 5) {
      throw new GrpcError(internal, `a message exceeds ${maxMessageBytes} bytes`);
    }
    chunks.push(data);
  }
  const all = Buffer.concat(chunks);
  if (all.length < 5) {
    throw new GrpcError(internal, `a gRPC message has 5 bytes of header: received ${all.length}`);
  }
  if (all[0] !== 0) throw new GrpcError(unimplemented, "compressed messages are not supported");
  const length = all.readUInt32BE(1);
  if (all.length !== 5 + length) throw new GrpcError(internal, "a call must have exactly one message");
  return all.subarray(5);
}

function statusTrailers(error: unknown): Record<string, string> {
  const status = error instanceof GrpcError ? error.status : internal;
  const text = error instanceof Error ? error.message : String(error);
  return { "grpc-status": String(status), "grpc-message": encodeURIComponent(text) };
}

function answer(stream: ServerHttp2Stream, message: Uint8Array): void {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(ok) }));
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.end(Buffer.concat([header, message]));
}

function refuse(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", ...statusTrailers(error) },
    { endStream: true },
  );
}

async function handle(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  router: GrpcRouter,
): Promise<void> {
  // A peer that goes away ends the stream with an error that concerns nobody else.
  stream.on("error", () => {});
  const path = headers[":path"];
  try {
    const response = router.call(typeof path === "string" ? path : "", await readMessage(stream));
    if (!stream.destroyed) answer(stream, response);
  } catch (error) {
    refuse(stream, error);
  }
}

/** Serves each connection by a router of its own. */
export function serveGrpc(server: Http2Server, routerOf: () => GrpcRouter): void {
  const routers = new WeakMap<Http2Session, GrpcRouter>();
  server.on("session", (session) => {
    session.on("error", () => {});
    routers.set(session, routerOf());
  });
  server.on("stream", (stream, headers) => {
    const router = stream.session && routers.get(stream.session);
    if (router) void handle(stream, headers, router);
    else stream.close();
  });
}
