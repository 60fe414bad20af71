/**
 * ICMPv6 echo (RFC 4443), as payload of an IPv6 packet:
 *
 *   type u8 (128 request, 129 reply) │ code 0 │ checksum u16 │ identifier u16 │ sequence u16 │ data
 */
import { ip6Header, newIp6Packet, nextHeader, parseIp6, transportChecksum } from "./ip6.ts";

const echoRequest = 128;
const echoReply = 129;
/** Stock stacks mark replies with this flow label, and so do we. */
const replyFlow = 0x0f_ffff;

export interface Echo {
  readonly reply: boolean;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

export function encodeEcho(echo: Echo): Buffer {
  const packet = newIp6Packet({
    nextHeader: nextHeader.icmp6,
    source: echo.source,
    destination: echo.destination,
    payloadLength: 8 + echo.data.length,
    ...(echo.reply ? { flow: replyFlow } : {}),
  });
  packet.writeUInt8(echo.reply ? echoReply : echoRequest, ip6Header);
  packet.writeUInt8(0, ip6Header + 1);
  packet.writeUInt16BE(0, ip6Header + 2);
  packet.writeUInt16BE(echo.identifier, ip6Header + 4);
  packet.writeUInt16BE(echo.sequence, ip6Header + 6);
  packet.set(echo.data, ip6Header + 8);
  packet.writeUInt16BE(transportChecksum(packet), ip6Header + 2);
  return packet;
}

/** Undefined for what is no sound echo request or reply. */
export function parseEcho(packet: Buffer): Echo | undefined {
  const ip = parseIp6(packet);
  if (!ip || ip.nextHeader !== nextHeader.icmp6 || ip.payload.length < 8) return undefined;
  const type = ip.payload.readUInt8(0);
  if ((type !== echoRequest && type !== echoReply) || ip.payload.readUInt8(1) !== 0) return undefined;
  if (transportChecksum(packet) !== 0) return undefined;
  return {
    reply: type === echoReply,
    source: ip.source,
    destination: ip.destination,
    identifier: ip.payload.readUInt16BE(4),
    sequence: ip.payload.readUInt16BE(6),
    data: ip.payload.subarray(8),
  };
}

/** The answer to a request. */
export function answerEcho(request: Echo): Buffer {
  return encodeEcho({ ...request, reply: true, source: request.destination, destination: request.source });
}
