/**
 * TSMP, protocol 99 (spec network §15): every real client waits for a pong before it dials.
 *
 *   ping  70 │ 8 opaque bytes
 *   pong  6f │ the same 8 bytes │ peer-API port u16 BE (0)
 */
import { ip6Header, newIp6Packet, nextHeader, parseIp6 } from "./ip6.ts";

const pingType = 0x70;
const pongType = 0x6f;
const dataLength = 8;
/** Stock stacks mark replies with this flow label, and so do we. */
const replyFlow = 0x0f_ffff;

export interface Tsmp {
  readonly type: "ping" | "pong";
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** 8 bytes. */
  readonly data: Uint8Array;
}

export function encodeTsmp(message: Tsmp): Buffer {
  const packet = newIp6Packet({
    nextHeader: nextHeader.tsmp,
    source: message.source,
    destination: message.destination,
    payloadLength: 1 + dataLength + (message.type === "pong" ? 2 : 0),
    ...(message.type === "pong" ? { flow: replyFlow } : {}),
  });
  packet.writeUInt8(message.type === "ping" ? pingType : pongType, ip6Header);
  packet.set(message.data.subarray(0, dataLength), ip6Header + 1);
  if (message.type === "pong") packet.writeUInt16BE(0, ip6Header + 1 + dataLength);
  return packet;
}

/** Undefined for what is no ping or pong. */
export function parseTsmp(packet: Buffer): Tsmp | undefined {
  const ip = parseIp6(packet);
  if (!ip || ip.nextHeader !== nextHeader.tsmp || ip.payload.length < 1 + dataLength) return undefined;
  const type = ip.payload.readUInt8(0);
  if (type !== pingType && type !== pongType) return undefined;
  return {
    type: type === pingType ? "ping" : "pong",
    source: ip.source,
    destination: ip.destination,
    data: ip.payload.subarray(1, 1 + dataLength),
  };
}

/** The answer to a ping. */
export function answerTsmp(ping: Tsmp): Buffer {
  return encodeTsmp({ type: "pong", source: ping.destination, destination: ping.source, data: ping.data });
}
