/**
 * Incoming half of the DRPC wire (wire.ts): bytes in pieces of any size → packets. Memory is bounded by the packet
 * limit: a header that announces more is refused before its data, and space grows only with bytes that came.
 */
import { DrpcProtocolError, maxPacket, type Packet } from "./wire.ts";

interface FrameHead {
  readonly control: number;
  readonly stream: bigint;
  readonly message: bigint;
  readonly length: number;
  readonly headLength: number;
}

/** Control byte and three varints of at most 10 bytes. */
const maxHead = 31;
const empty: Buffer = Buffer.alloc(0);

export class PacketReader {
  readonly #limit: number;
  #head = empty;
  /** The packet under construction: ids and kind of its frames, and its data so far. */
  #stream = 1n;
  #message = 1n;
  #kind = -1;
  #control = false;
  #data = empty;
  #used = 0;
  /** Data bytes of the current frame that have not come yet; undefined between frames. */
  #left: number | undefined;
  #done = false;

  constructor(limit: number = maxPacket) {
    this.#limit = limit;
  }

  /** Yields the packets that `chunk` completes. Throws `DrpcProtocolError`; the reader is useless then. */
  *push(chunk: Buffer): Generator<Packet, void> {
    let at = 0;
    for (;;) {
      if (this.#left === undefined) {
        const before = this.#head.length;
        const bytes =
          before === 0 ? chunk.subarray(at) : Buffer.concat([this.#head, chunk.subarray(at, at + maxHead)]);
        const head = decodeHead(bytes);
        if (!head) {
          this.#head = Buffer.from(bytes);
          return;
        }
        this.#head = empty;
        at += head.headLength - before;
        this.#begin(head);
        continue;
      }
      const part = chunk.subarray(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      const whole = this.#left === 0 && this.#done && this.#used === 0;
      if (!whole) this.#append(part);
      if (this.#left > 0) return;
      this.#left = undefined;
      if (this.#done) yield this.#finish(whole ? part : this.#data.subarray(0, this.#used));
    }
  }

  #begin(head: FrameHead): void {
    const { stream, message } = head;
    const kind = (head.control >> 1) & 0x3f;
    if (stream < this.#stream || (stream === this.#stream && message < this.#message)) {
      throw new DrpcProtocolError(
        `id monotonicity violation: received ${stream}/${message} after ${this.#stream}/${this.#message}`,
      );
    }
    if (stream !== this.#stream || message !== this.#message || this.#kind < 0) {
      // A newer id replaces an unfinished packet.
      this.#reset(stream, message);
      this.#kind = kind;
    } else if (kind !== this.#kind) {
      throw new DrpcProtocolError(`the kind changed inside a packet: received ${kind} after ${this.#kind}`);
    }
    if (this.#used + head.length > this.#limit) {
      throw new DrpcProtocolError(`data overflow: a packet has at most ${this.#limit} bytes`);
    }
    this.#control ||= (head.control & 0x80) !== 0;
    this.#done = (head.control & 1) !== 0;
    this.#left = head.length;
  }

  #append(part: Buffer): void {
    const need = this.#used + part.length;
    if (need > this.#data.length) {
      const grown = Buffer.alloc(Math.max(need, Math.min(this.#limit, this.#data.length * 2)));
      this.#data.copy(grown, 0, 0, this.#used);
      this.#data = grown;
    }
    part.copy(this.#data, this.#used);
    this.#used = need;
  }

  #finish(data: Buffer): Packet {
    const packet = {
      kind: this.#kind,
      control: this.#control,
      stream: this.#stream,
      message: this.#message,
      data,
    };
    this.#reset(this.#stream, this.#message + 1n);
    return packet;
  }

  #reset(stream: bigint, message: bigint): void {
    this.#stream = stream;
    this.#message = message;
    this.#kind = -1;
    this.#control = false;
    this.#data = empty;
    this.#used = 0;
  }
}

/** Undefined if more bytes are needed. */
function decodeHead(bytes: Buffer): FrameHead | undefined {
  const control = bytes[0];
  if (control === undefined) return undefined;
  const stream = decodeVarint(bytes, 1);
  const message = stream && decodeVarint(bytes, stream.next);
  const length = message && decodeVarint(bytes, message.next);
  if (!length) return undefined;
  const size =
    length.value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(length.value);
  return { control, stream: stream.value, message: message.value, length: size, headLength: length.next };
}

function decodeVarint(bytes: Buffer, at: number): { value: bigint; next: number } | undefined {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: at + i + 1 };
  }
  throw new DrpcProtocolError("varint too long");
}
