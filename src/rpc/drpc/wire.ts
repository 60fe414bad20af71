/**
 * Frames and packets of DRPC (spec network §3.5), pure. A packet is one or more frames with the same ids and kind;
 * the last has the done bit.
 *
 *     +---------------------------+-----------------+------------------+---------------+--------------+
 *     | control u8                | stream id       | message id       | length        | data         |
 *     | bit 0 done · 1–6 kind · 7 | varint (LEB128) | varint           | varint        | length bytes |
 *     | control flag              |                 |                  |               |              |
 *     +---------------------------+-----------------+------------------+---------------+--------------+
 */

export const packetKind = {
  invoke: 1,
  message: 2,
  error: 3,
  cancel: 4,
  close: 5,
  closeSend: 6,
  invokeMetadata: 7,
} as const;

/** Bytes of data in one frame, at most, unless told otherwise. */
export const defaultSplit = 64 * 1024;
/** Bytes of data in one packet, at most. */
export const maxPacket = 4 * 1024 * 1024;

export interface Packet {
  /** One of `packetKind`, or a kind that we do not know (0 to 63). */
  readonly kind: number;
  readonly control: boolean;
  readonly stream: bigint;
  readonly message: bigint;
  readonly data: Buffer;
}

/** The bytes from the peer are not DRPC, or break its limits. The connection cannot go on. */
export class DrpcProtocolError extends Error {
  override readonly name = "DrpcProtocolError";
}

export function encodeVarint(value: bigint): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}

/** The frames of a packet as one buffer. `split`: most data bytes in a frame; negative for no limit. */
export function encodePacket(packet: Packet, split: number = defaultSplit): Buffer {
  const { data } = packet;
  const step = split < 0 ? Math.max(data.length, 1) : split;
  const ids = Buffer.concat([encodeVarint(packet.stream), encodeVarint(packet.message)]);
  const base = (packet.kind << 1) | (packet.control ? 0x80 : 0);
  const out: Buffer[] = [];
  let at = 0;
  do {
    const part = data.subarray(at, at + step);
    at += part.length;
    const done = at >= data.length ? 1 : 0;
    out.push(Buffer.from([base | done]), ids, encodeVarint(BigInt(part.length)), part);
  } while (at < data.length);
  return Buffer.concat(out);
}

/** Error packets: u64 big-endian code, then UTF-8 text. */
export function encodeError(code: bigint, text: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(BigInt.asUintN(64, code));
  return Buffer.concat([head, Buffer.from(text, "utf8")]);
}

export function decodeError(data: Buffer): { code: bigint; text: string } {
  if (data.length < 8) {
    throw new DrpcProtocolError(`an error packet has 8 bytes or more: received ${data.length}`);
  }
  return { code: data.readBigUInt64BE(0), text: data.toString("utf8", 8) };
}
