/**
 * Frames of yamux (spec network §3.4), pure. Every frame starts with 12 bytes, big-endian:
 *
 *     0        1        2                 4                                   8
 *     +--------+--------+-----------------+-----------------------------------+-----------------------------------+
 *     | ver 0  | type   | flags           | stream id                         | length                            |
 *     +--------+--------+-----------------+-----------------------------------+-----------------------------------+
 *
 *     type 0 data: `length` body bytes follow · 1 window update: length = credit · 2 ping: length = opaque value ·
 *     3 go-away: length = code.  flags: 1 SYN, 2 ACK, 4 FIN, 8 RST.
 */

export const headerLength = 12;

export const frameType = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;
export type FrameType = (typeof frameType)[keyof typeof frameType];

export const flag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

export const goAwayCode = { normal: 0, protocolError: 1, internalError: 2 } as const;

export interface FrameHeader {
  readonly type: FrameType;
  /** Sum of `flag` values; others are kept and mean nothing. */
  readonly flags: number;
  readonly stream: number;
  readonly length: number;
}

/** What a decoder finds, in order: a header, then for a data frame its body in one or more pieces. */
export type FrameEvent =
  | { readonly kind: "header"; readonly header: FrameHeader }
  | { readonly kind: "body"; readonly stream: number; readonly data: Buffer };

export type YamuxErrorCode = "protocol" | "closed" | "timeout" | "reset" | "limit" | "transport";

/** The peer broke the protocol, or the session is over. `code` is stable. */
export class YamuxError extends Error {
  override readonly name = "YamuxError";
  readonly code: YamuxErrorCode;

  constructor(code: YamuxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function encodeHeader(header: FrameHeader): Buffer {
  const out = Buffer.alloc(headerLength);
  out.writeUInt8(header.type, 1);
  out.writeUInt16BE(header.flags, 2);
  out.writeUInt32BE(header.stream, 4);
  out.writeUInt32BE(header.length, 8);
  return out;
}

/** Throws `YamuxError` "protocol" for another version or an unknown type. */
export function decodeHeader(bytes: Buffer): FrameHeader {
  const version = bytes.readUInt8(0);
  if (version !== 0) throw new YamuxError("protocol", `yamux version must be 0: received ${version}`);
  return {
    type: decodeType(bytes.readUInt8(1)),
    flags: bytes.readUInt16BE(2),
    stream: bytes.readUInt32BE(4),
    length: bytes.readUInt32BE(8),
  };
}

function decodeType(byte: number): FrameType {
  switch (byte) {
    case frameType.data:
    case frameType.windowUpdate:
    case frameType.ping:
    case frameType.goAway:
      return byte;
    default:
      throw new YamuxError("protocol", `yamux frame type must be 0 to 3: received ${byte}`);
  }
}

/** Cuts a byte stream into events. Bodies are passed on as they come, so it holds at most 11 bytes. */
export class FrameDecoder {
  #head: Buffer = Buffer.alloc(0);
  #bodyLeft = 0;
  #bodyStream = 0;

  *push(chunk: Buffer): Generator<FrameEvent, void> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const data = chunk.subarray(at, at + this.#bodyLeft);
        at += data.length;
        this.#bodyLeft -= data.length;
        yield { kind: "body", stream: this.#bodyStream, data };
        continue;
      }
      const missing = headerLength - this.#head.length;
      const piece = chunk.subarray(at, at + missing);
      at += piece.length;
      this.#head = this.#head.length === 0 ? piece : Buffer.concat([this.#head, piece]);
      if (this.#head.length < headerLength) return;
      const header = decodeHeader(this.#head);
      this.#head = Buffer.alloc(0);
      if (header.type === frameType.data) {
        this.#bodyLeft = header.length;
        this.#bodyStream = header.stream;
      }
      yield { kind: "header", header };
    }
  }
}
