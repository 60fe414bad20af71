/**
 * IPv6 packets without extension headers (RFC 8200):
 *
 *   6, class, flow u32 │ payload length u16 │ next header u8 │ hop limit u8 │ source 16 │ destination 16 │ payload
 */

export const ip6Header = 40;
export const nextHeader = { tcp: 6, udp: 17, icmp6: 58, tsmp: 99 } as const;
const hopLimit = 64;

export interface Ip6Packet {
  readonly nextHeader: number;
  /** 16 bytes each, views into the packet. */
  readonly source: Buffer;
  readonly destination: Buffer;
  readonly payload: Buffer;
}

/** Undefined for what is no whole IPv6 packet. */
export function parseIp6(packet: Buffer): Ip6Packet | undefined {
  if (packet.length < ip6Header || packet.readUInt8(0) >> 4 !== 6) return undefined;
  const end = ip6Header + packet.readUInt16BE(4);
  if (end > packet.length) return undefined;
  return {
    nextHeader: packet.readUInt8(6),
    source: packet.subarray(8, 24),
    destination: packet.subarray(24, 40),
    payload: packet.subarray(ip6Header, end),
  };
}

export interface Ip6Fields {
  readonly nextHeader: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly payloadLength: number;
  /** Traffic class and flow label, 28 bits. */
  readonly flow?: number;
}

/** A packet with its header written and room for the payload. */
export function newIp6Packet(fields: Ip6Fields): Buffer {
  const packet = Buffer.allocUnsafe(ip6Header + fields.payloadLength);
  packet.writeUInt32BE(0x6000_0000 + (fields.flow ?? 0), 0);
  packet.writeUInt16BE(fields.payloadLength, 4);
  packet.writeUInt8(fields.nextHeader, 6);
  packet.writeUInt8(hopLimit, 7);
  packet.set(fields.source, 8);
  packet.set(fields.destination, 24);
  return packet;
}

/**
 * The Internet checksum (RFC 1071) over pseudo header and payload, for a packet whose checksum field is zero; zero when
 * taken over a packet whose checksum is right.
 */
export function transportChecksum(packet: Buffer): number {
  const length = packet.readUInt16BE(4);
  let sum = length + packet.readUInt8(6);
  const end = ip6Header + length;
  let at = 8;
  // 16-bit words, the addresses of the pseudo header first; four at a time because every data byte passes here.
  for (; at + 8 <= end; at += 8) {
    const high = packet.readUInt32BE(at);
    const low = packet.readUInt32BE(at + 4);
    sum += (high >>> 16) + (high & 0xffff) + (low >>> 16) + (low & 0xffff);
  }
  for (; at + 2 <= end; at += 2) sum += packet.readUInt16BE(at);
  if (at < end) sum += packet.readUInt8(at) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
