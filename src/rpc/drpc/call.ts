/**
 * One RPC on one Duplex, either role: packets out in order, packets in through a bounded queue. client.ts and
 * server.ts put the four method kinds on top.
 *
 * Packets that carry data wait in the queue (16 at most, then reading stops until some are taken). What ends a call is
 * seen at once unless it stands behind a full queue.
 */
import type { Duplex } from "node:stream";
import {
  decodeError,
  DrpcProtocolError,
  encodeError,
  encodePacket,
  maxPacket,
  packetKind,
  type Packet,
} from "./wire.ts";
import { PacketReader } from "./reader.ts";

/** The other side answered with an error, or ours is to be sent to it. Code 0: none given. */
export class DrpcError extends Error {
  override readonly name = "DrpcError";
  readonly code: bigint;

  constructor(message: string, code: bigint | number = 0n, options?: ErrorOptions) {
    super(message, options);
    this.code = BigInt(code);
  }
}

/** The stream ended before the call did: connection gone, peer closed, or cancelled. */
export class CallClosedError extends Error {
  override readonly name = "CallClosedError";
}

/** A packet to send; ids are the call's. */
export interface Outgoing {
  readonly kind: number;
  readonly data?: Uint8Array;
}

const maxQueued = 16;

export class Call {
  readonly #stream: Duplex;
  readonly #ended = new AbortController();
  readonly #queue: Packet[] = [];
  #wake: (() => void) | undefined;
  #resume: (() => void) | undefined;
  /** No packet follows: the peer sent CloseSend, or the call is over. */
  #inputDone = false;
  /** The peer said that the call is dead: it wants to hear no more. */
  #peerClosed = false;
  /** Nothing more comes from the peer. */
  #readDone = false;
  /** The last packet is sent; only the end of the stream is owed. */
  #answered = false;
  #message = 0n;

  constructor(stream: Duplex, limit: number = maxPacket) {
    this.#stream = stream;
    stream.on("error", () => {});
    stream.once("close", () => this.#end(new CallClosedError("the stream was closed")));
    void this.#read(new PacketReader(limit));
  }

  /** Aborts when the call is over for whatever reason: Close, Error, end of the stream, protocol error. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Sends packets in one write; resolves when there is room for the next. Rejects when the call is over. */
  async send(...packets: readonly Outgoing[]): Promise<void> {
    this.signal.throwIfAborted();
    for (const { data } of packets) {
      if (data && data.length > maxPacket) {
        throw new DrpcError(`message too big: ${data.length} > ${maxPacket} bytes`);
      }
    }
    if (!this.#stream.writable) throw new CallClosedError("the call takes no more messages");
    if (!this.#stream.write(Buffer.concat(packets.map((packet) => this.#encode(packet))))) {
      await this.#drain();
    }
  }

  /** The next packet of data (Invoke, InvokeMetadata, Message); undefined at a clean end; rejects at any other. */
  async next(): Promise<Packet | undefined> {
    for (;;) {
      const packet = this.#queue.shift();
      if (packet) {
        this.#resume?.();
        return packet;
      }
      if (this.#inputDone) {
        if (this.signal.aborted && !(this.signal.reason instanceof CallClosedError)) throw this.signal.reason;
        return undefined;
      }
      this.signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Sends a last packet, if any, and ends the stream. Safe to call twice; never rejects. */
  finish(last?: Outgoing): void {
    if (!this.#stream.writable) return;
    if (last && !this.#peerClosed) this.#stream.end(this.#encode(last));
    else this.#stream.end();
  }

  /**
   * Sends the last packet of an answer. The stream ends when the caller has ended its side: a Go caller that meets the
   * end of the stream while it still sends its CloseSend takes the call for cancelled. What else it sends is dropped.
   */
  answer(last: Outgoing): void {
    if (!this.#stream.writable) return;
    if (this.#readDone || this.#peerClosed) return this.finish(last);
    this.#answered = true;
    this.#queue.length = 0;
    this.#stream.write(this.#encode(last));
    this.#resume?.();
  }

  /** Answers with an error and ends the stream: an Error packet ends the call on both sides. */
  fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.finish({
      kind: packetKind.error,
      data: encodeError(error instanceof DrpcError ? error.code : 0n, text),
    });
  }

  /** Ends the stream without a word, as a cancelled caller does. */
  abandon(reason: Error): void {
    this.#end(reason);
    this.#stream.destroy();
  }

  #encode(packet: Outgoing): Buffer {
    this.#message++;
    const data = asBuffer(packet.data ?? new Uint8Array());
    return encodePacket({ kind: packet.kind, control: false, stream: 1n, message: this.#message, data });
  }

  async #read(reader: PacketReader): Promise<void> {
    try {
      for await (const chunk of this.#stream.iterator({ destroyOnReturn: false })) {
        for (const packet of reader.push(chunk)) {
          this.#take(packet);
          if (this.#queue.length >= maxQueued && !this.signal.aborted) await this.#space();
        }
      }
      this.#readDone = true;
      if (this.#answered) this.#stream.end();
      this.#end(new CallClosedError("the peer ended the stream"));
    } catch (error) {
      const broken = error instanceof DrpcProtocolError;
      this.#end(broken ? error : new CallClosedError("the stream broke", { cause: error }));
      this.#stream.destroy();
    }
  }

  #take(packet: Packet): void {
    if (this.signal.aborted) return;
    switch (packet.kind) {
      case packetKind.invoke:
      case packetKind.invokeMetadata:
      case packetKind.message:
        if (this.#inputDone || this.#answered) return;
        this.#queue.push(packet);
        this.#wake?.();
        return;
      case packetKind.closeSend:
        this.#inputDone = true;
        this.#wake?.();
        return;
      case packetKind.error: {
        const { code, text } = decodeError(packet.data);
        this.#peerClosed = true;
        return this.#end(new DrpcError(text, code));
      }
      case packetKind.close:
        this.#inputDone = true;
        this.#peerClosed = true;
        return this.#end(new CallClosedError("the peer closed the call"));
      case packetKind.cancel:
        this.#peerClosed = true;
        return this.#end(new CallClosedError("the peer cancelled the call"));
      default:
        if (!packet.control) throw new DrpcProtocolError(`unknown packet kind ${packet.kind}`);
    }
  }

  #space(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  #drain(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#stream.off("drain", onDrain);
        this.signal.removeEventListener("abort", onEnd);
      };
      const onDrain = () => (stop(), resolve());
      const onEnd = () => (stop(), reject(this.signal.reason));
      this.#stream.once("drain", onDrain);
      this.signal.addEventListener("abort", onEnd, { once: true });
    });
  }

  #end(reason: Error): void {
    if (this.signal.aborted) return;
    this.#ended.abort(reason);
    this.#wake?.();
    this.#resume?.();
  }
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
