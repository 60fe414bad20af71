/**
 * DERP frames (spec network §11.1), protocol version 2, used by server, client and mesh:
 *
 *   type u8 │ length u32 BE │ payload
 *
 * A frame longer than 1 MiB ends the connection. Unknown types are skipped by both sides.
 */

export const frameType = {
  serverKey: 0x01,
  clientInfo: 0x02,
  serverInfo: 0x03,
  sendPacket: 0x04,
  recvPacket: 0x05,
  keepAlive: 0x06,
  notePreferred: 0x07,
  peerGone: 0x08,
  peerPresent: 0x09,
  forwardPacket: 0x0a,
  watchConns: 0x10,
  closePeer: 0x11,
  ping: 0x12,
  pong: 0x13,
  health: 0x14,
  restarting: 0x15,
} as const;

export const magic: Buffer = Buffer.from("44455250f09f9491", "hex");
export const protocolVersion = 2;
export const keyLength = 32;
export const headerLength = 5;
export const maxFrame = 1 << 20;
export const maxPacket = 64 << 10;
export const maxInfo = 256 << 10;

export const peerGoneReason = { disconnected: 0, notHere: 1 } as const;

/** The peer broke the protocol; the connection ends with this. */
export class DerpProtocolError extends Error {
  override readonly name = "DerpProtocolError";
}

/** One frame, its payload joined from parts. */
export function encodeFrame(type: number, ...payload: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of payload) length += part.length;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame.writeUInt8(type, 0);
  frame.writeUInt32BE(length, 1);
  let at = headerLength;
  for (const part of payload) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

export interface Frame {
  readonly type: number;
  /** A view into what was pushed where the frame lay in one piece. */
  readonly payload: Buffer;
}

/** Cuts a byte stream into frames. Holds at most one unfinished frame. */
export class FrameReader {
  readonly #limitOf: (type: number) => number;
  #parts: Buffer[] = [];
  #held = 0;

  /** `limitOf` gives the largest payload of a type; longer ones are refused by their header alone. */
  constructor(limitOf: (type: number) => number = () => maxFrame) {
    this.#limitOf = limitOf;
  }

  /** Frames that are complete with this piece. Throws DerpProtocolError for a length beyond the bound. */
  *push(piece: Buffer): Generator<Frame, void> {
    let data = piece;
    if (this.#held > 0) {
      this.#parts.push(piece);
      this.#held += piece.length;
      // Joining only when the frame is complete keeps a slow drip linear.
      if (this.#held < headerLength || this.#held < this.#needed()) return;
      data = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#held = 0;
    }
    let at = 0;
    while (data.length - at >= headerLength) {
      const length = this.#lengthOf(data, at);
      const end = at + headerLength + length;
      if (end > data.length) break;
      yield { type: data.readUInt8(at), payload: data.subarray(at + headerLength, end) };
      at = end;
    }
    if (at < data.length) {
      this.#parts = [data.subarray(at)];
      this.#held = data.length - at;
    }
  }

  #needed(): number {
    const [first] = this.#parts;
    const head = first && first.length >= headerLength ? first : Buffer.concat(this.#parts);
    if (head !== first) this.#parts = [head];
    return headerLength + this.#lengthOf(head, 0);
  }

  #lengthOf(data: Buffer, at: number): number {
    const type = data.readUInt8(at);
    const length = data.readUInt32BE(at + 1);
    if (length > Math.min(maxFrame, this.#limitOf(type))) {
      throw new DerpProtocolError(`a frame of type ${type} with ${length} bytes is too long`);
    }
    return length;
  }
}

/** Largest payloads that a server takes. */
export function serverLimit(type: number): number {
  switch (type) {
    case frameType.sendPacket:
      return keyLength + maxPacket;
    case frameType.forwardPacket:
      return 2 * keyLength + maxPacket;
    case frameType.clientInfo:
      return maxInfo;
    default:
      return maxFrame;
  }
}
