/**
 * TCP segments in IPv6 packets (RFC 9293 §3.1):
 *
 *   source port u16 │ destination port u16 │ sequence u32 │ acknowledgement u32
 *   offset u4, reserved u4, flags u8 │ window u16 │ checksum u16 │ urgent u16 │ options │ data
 *
 * Options are written as stock stacks do: SYN mss, sack permitted, timestamps, nop, window scale; others nop nop
 * timestamps, nop nop sack.
 */
import { ip6Header, newIp6Packet, nextHeader, transportChecksum } from "../ip6.ts";

export const flag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;
export const tcpHeader = 20;

export interface SackBlock {
  readonly start: number;
  readonly end: number;
}

export interface TcpOptions {
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  readonly timestamps?: { readonly value: number; readonly echo: number };
  readonly sack?: readonly SackBlock[];
}

export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  /** As it stands in the header, unscaled. */
  readonly window: number;
  readonly options: TcpOptions;
  readonly data: Buffer;
}

const kind = { end: 0, nop: 1, mss: 2, windowScale: 3, sackPermitted: 4, sack: 5, timestamps: 8 } as const;
const maxSackBlocks = 4;

export function synOptions(wanted: {
  readonly mss: number;
  readonly sackPermitted: boolean;
  readonly timestamps: TcpOptions["timestamps"] | undefined;
  readonly windowScale: number | undefined;
}): TcpOptions {
  return {
    mss: wanted.mss,
    ...(wanted.sackPermitted ? { sackPermitted: true } : {}),
    ...(wanted.timestamps ? { timestamps: wanted.timestamps } : {}),
    ...(wanted.windowScale === undefined ? {} : { windowScale: wanted.windowScale }),
  };
}

/** How many bytes the options take, padded to words. */
export function optionsLength(options: TcpOptions): number {
  let length = 0;
  if (options.mss !== undefined) length += 4;
  if (options.sackPermitted) length += 2;
  if (options.timestamps) length += options.sackPermitted ? 10 : 12;
  if (options.windowScale !== undefined) length += 4;
  if (options.sack && options.sack.length > 0) length += 4 + 8 * options.sack.length;
  return (length + 3) & ~3;
}

export function encodeSegment(source: Uint8Array, destination: Uint8Array, segment: Segment): Buffer {
  const { options, data } = segment;
  const header = tcpHeader + optionsLength(options);
  const packet = newIp6Packet({
    nextHeader: nextHeader.tcp,
    source,
    destination,
    payloadLength: header + data.length,
  });
  packet.writeUInt16BE(segment.sourcePort, 40);
  packet.writeUInt16BE(segment.destinationPort, 42);
  packet.writeUInt32BE(segment.seq, 44);
  packet.writeUInt32BE(segment.ack, 48);
  packet.writeUInt16BE(((header / 4) << 12) | segment.flags, 52);
  packet.writeUInt16BE(segment.window, 54);
  packet.writeUInt32BE(0, 56);
  writeOptions(packet, ip6Header + tcpHeader, ip6Header + header, options);
  packet.set(data, ip6Header + header);
  packet.writeUInt16BE(transportChecksum(packet), 56);
  return packet;
}

function writeOptions(packet: Buffer, start: number, end: number, options: TcpOptions): void {
  let at = start;
  const put = (...bytes: readonly number[]): void => {
    for (const byte of bytes) packet.writeUInt8(byte, at++);
  };
  const put32 = (value: number): void => {
    at = packet.writeUInt32BE(value, at);
  };
  if (options.mss !== undefined) put(kind.mss, 4, options.mss >> 8, options.mss & 0xff);
  if (options.sackPermitted) put(kind.sackPermitted, 2);
  if (options.timestamps) {
    // In a SYN the two bytes of "sack permitted" stand where the padding would.
    if (!options.sackPermitted) put(kind.nop, kind.nop);
    put(kind.timestamps, 10);
    put32(options.timestamps.value);
    put32(options.timestamps.echo);
  }
  if (options.windowScale !== undefined) put(kind.nop, kind.windowScale, 3, options.windowScale);
  if (options.sack && options.sack.length > 0) {
    put(kind.nop, kind.nop, kind.sack, 2 + 8 * options.sack.length);
    for (const block of options.sack) {
      put32(block.start);
      put32(block.end);
    }
  }
  while (at < end) put(kind.nop);
}

/** From a whole IPv6 packet whose next header is TCP. Undefined where header, options or checksum are not sound. */
export function parseSegment(packet: Buffer): Segment | undefined {
  const end = ip6Header + packet.readUInt16BE(4);
  if (end > packet.length || end < ip6Header + tcpHeader) return undefined;
  const offsetAndFlags = packet.readUInt16BE(52);
  const dataAt = ip6Header + (offsetAndFlags >> 12) * 4;
  if (dataAt < ip6Header + tcpHeader || dataAt > end || transportChecksum(packet) !== 0) return undefined;
  return {
    sourcePort: packet.readUInt16BE(40),
    destinationPort: packet.readUInt16BE(42),
    seq: packet.readUInt32BE(44),
    ack: packet.readUInt32BE(48),
    flags: offsetAndFlags & 0x3f,
    window: packet.readUInt16BE(54),
    options:
      dataAt === ip6Header + tcpHeader ? noOptions : parseOptions(packet, ip6Header + tcpHeader, dataAt),
    data: packet.subarray(dataAt, end),
  };
}

const noOptions: TcpOptions = {};

function parseOptions(packet: Buffer, start: number, end: number): TcpOptions {
  const out: { -readonly [K in keyof TcpOptions]: TcpOptions[K] } = {};
  let at = start;
  while (at < end) {
    const option = packet.readUInt8(at);
    if (option === kind.end) break;
    if (option === kind.nop) {
      at++;
      continue;
    }
    if (at + 2 > end) break;
    const length = packet.readUInt8(at + 1);
    if (length < 2 || at + length > end) break;
    if (option === kind.mss && length === 4) out.mss = packet.readUInt16BE(at + 2);
    else if (option === kind.windowScale && length === 3) {
      out.windowScale = Math.min(14, packet.readUInt8(at + 2));
    } else if (option === kind.sackPermitted && length === 2) out.sackPermitted = true;
    else if (option === kind.timestamps && length === 10) {
      out.timestamps = { value: packet.readUInt32BE(at + 2), echo: packet.readUInt32BE(at + 6) };
    } else if (option === kind.sack && (length - 2) % 8 === 0 && length <= 2 + 8 * maxSackBlocks) {
      const blocks: SackBlock[] = [];
      for (let block = at + 2; block < at + length; block += 8) {
        blocks.push({ start: packet.readUInt32BE(block), end: packet.readUInt32BE(block + 4) });
      }
      out.sack = blocks;
    }
    at += length;
  }
  return out;
}
