/** A call as a stream of protobuf messages, in either role. Made by client.ts and server.ts. */
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { CallClosedError, type Call } from "./call.ts";
import { DrpcProtocolError, packetKind } from "./wire.ts";

export class MessageStream<Out extends DescMessage, In extends DescMessage> implements AsyncIterable<
  MessageShape<In>
> {
  readonly #call: Call;
  readonly #out: Out;
  readonly #in: In;

  constructor(call: Call, out: Out, incoming: In) {
    this.#call = call;
    this.#out = out;
    this.#in = incoming;
  }

  /** Aborts when the call is over: closed, failed, cancelled or disconnected. */
  get signal(): AbortSignal {
    return this.#call.signal;
  }

  /** Resolves when there is room for the next message. Rejects when the call is over. */
  send(message: MessageInitShape<Out>): Promise<void> {
    return this.#call.send({ kind: packetKind.message, data: encode(this.#out, message) });
  }

  /** The next message; undefined when the peer has sent its last. Rejects if the call failed or broke. */
  async receive(): Promise<MessageShape<In> | undefined> {
    const packet = await this.#call.next();
    if (!packet) return undefined;
    if (packet.kind !== packetKind.message) {
      throw new DrpcProtocolError(`expected a message: received packet kind ${packet.kind}`);
    }
    return decode(this.#in, packet.data);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MessageShape<In>, void> {
    for (let message = await this.receive(); message !== undefined; message = await this.receive()) {
      yield message;
    }
  }

  /** Says that no more messages come from here; receiving goes on. */
  closeSend(): Promise<void> {
    return this.#call.send({ kind: packetKind.closeSend });
  }

  /** Ends sending, waits for the one answer and closes: the end of a client-streaming call. */
  async reply(): Promise<MessageShape<In>> {
    await this.closeSend();
    const answer = await this.receive();
    if (!answer) throw new CallClosedError("the call ended without an answer");
    this.close();
    return answer;
  }

  /** Ends the call in both directions. */
  close(): void {
    this.#call.finish({ kind: packetKind.close });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

export function encode<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Uint8Array {
  return toBinary(schema, create(schema, message));
}

export function decode<D extends DescMessage>(schema: D, data: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, data);
  } catch (cause) {
    throw new DrpcProtocolError(`cannot decode ${schema.typeName}`, { cause });
  }
}
