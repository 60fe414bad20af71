/**
 * DRPC client: a typed object from a protobuf service description. Each call opens a stream of its own (spec network
 * §3.5) and ends it.
 *
 *     const daemon = drpcClient(ProvisionerDaemon, () => session.open());
 *     await daemon.updateJob({ jobId });                       // unary: the answer, or a DrpcError with its code
 *     for await (const part of daemon.downloadFile({ fileId })) …    // server-streaming
 *     const upload = daemon.uploadFile(); await upload.send(…); await upload.reply();   // client-streaming
 *     await using acquire = daemon.acquireJobWithCancel(); await acquire.receive();     // bidirectional
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
import { Call, CallClosedError, type Outgoing } from "./call.ts";
import { decode, encode, MessageStream } from "./messages.ts";
import { encodeMetadata, type Metadata } from "./metadata.ts";
import { packetKind } from "./wire.ts";

export interface CallOptions {
  /** Ends the call without an answer; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly metadata?: Metadata;
}

type ClientMethod<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => MessageStream<I, O>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (options?: CallOptions) => MessageStream<I, O>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (options?: CallOptions) => MessageStream<I, O>
          : never;

export type DrpcClient<S extends DescService> = {
  readonly [K in keyof S["method"]]: ClientMethod<S["method"][K]>;
};

export function drpcClient<S extends DescService>(service: S, openStream: () => Duplex): DrpcClient<S> {
  const client: Record<string, unknown> = {};
  for (const method of service.methods) client[method.localName] = clientMethod(method, openStream);
  // The loop gives every method of the description the form that ClientMethod computes from it.
  return client as DrpcClient<S>;
}

function clientMethod(method: DescMethod, openStream: () => Duplex): unknown {
  const { input, output } = method;
  switch (method.methodKind) {
    case "unary":
      return (request: MessageInitShape<DescMessage>, options: CallOptions = {}) =>
        unary(method, openStream, encode(input, request), options);
    case "server_streaming":
      return (request: MessageInitShape<DescMessage>, options: CallOptions = {}) => {
        const data = encode(input, request);
        const call = startCall(method, openStream, options, [
          { kind: packetKind.message, data },
          { kind: packetKind.closeSend },
        ]);
        return new MessageStream(call, input, output);
      };
    case "client_streaming":
    case "bidi_streaming":
      return (options: CallOptions = {}) =>
        new MessageStream(startCall(method, openStream, options, []), input, output);
  }
}

async function unary(
  method: DescMethod,
  openStream: () => Duplex,
  data: Uint8Array,
  options: CallOptions,
): Promise<unknown> {
  options.signal?.throwIfAborted();
  const call = startCall(method, openStream, options, [
    { kind: packetKind.message, data },
    { kind: packetKind.closeSend },
  ]);
  try {
    const packet = await call.next();
    if (!packet) throw new CallClosedError("the call ended without an answer");
    const answer = decode(method.output, packet.data);
    call.finish({ kind: packetKind.close });
    return answer;
  } finally {
    call.finish();
  }
}

/** Opens the stream and sends what begins the call. A failure to send shows up on the call itself. */
function startCall(
  method: DescMethod,
  openStream: () => Duplex,
  options: CallOptions,
  first: readonly Outgoing[],
): Call {
  const { signal, metadata } = options;
  signal?.throwIfAborted();
  const call = new Call(openStream());
  if (signal) {
    const cancel = () => {
      call.abandon(
        signal.reason instanceof Error ? signal.reason : new CallClosedError("the call was cancelled"),
      );
    };
    signal.addEventListener("abort", cancel, { once: true, signal: call.signal });
  }
  const name = Buffer.from(rpcName(method), "utf8");
  const begin: Outgoing[] = [{ kind: packetKind.invoke, data: name }, ...first];
  if (metadata) begin.unshift({ kind: packetKind.invokeMetadata, data: encodeMetadata(metadata) });
  call.send(...begin).catch((error: unknown) => {
    call.abandon(error instanceof Error ? error : new CallClosedError(String(error)));
  });
  return call;
}

/** `/coder.tailnet.v2.Tailnet/Coordinate` */
export function rpcName(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
