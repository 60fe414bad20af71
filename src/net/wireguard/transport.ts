/**
 * Transport packets (spec network §14):
 *
 *   04 00 00 00 │ receiver u32 │ counter u64 │ ciphertext n │ tag 16
 *
 * The plaintext is an IP packet padded with zeros to 16 bytes; none at all is a keepalive.
 */
import { type CipherKey, empty, open, sealInto } from "./primitives.ts";
import { messageType } from "./noise.ts";

export const transportOverhead = 32;

/** Seals an inner packet; padding is added here. */
export function sealTransport(
  key: CipherKey,
  receiverIndex: number,
  counter: number,
  inner: Uint8Array,
): Buffer {
  const padded = (inner.length + 15) & ~15;
  const packet = Buffer.allocUnsafe(padded + transportOverhead);
  packet.writeUInt32LE(messageType.transport, 0);
  packet.writeUInt32LE(receiverIndex, 4);
  packet.writeUInt32LE(counter >>> 0, 8);
  packet.writeUInt32LE(Math.floor(counter / 2 ** 32), 12);
  let plaintext = inner;
  if (padded !== inner.length) {
    const copy = Buffer.alloc(padded);
    copy.set(inner);
    plaintext = copy;
  }
  sealInto(key, counter, plaintext, packet, 16);
  return packet;
}

export function transportCounter(packet: Buffer): number {
  return packet.readUInt32LE(8) + packet.readUInt32LE(12) * 2 ** 32;
}

/** The padded plaintext, undefined where the tag does not fit. */
export function openTransport(key: CipherKey, packet: Buffer): Buffer | undefined {
  return open(key, transportCounter(packet), packet.subarray(16), empty);
}

/** Cuts the padding off by the IP header's own length; undefined for what is no IP packet. */
export function unpad(plaintext: Buffer): Buffer | undefined {
  if (plaintext.length < 20) return undefined;
  const version = plaintext.readUInt8(0) >> 4;
  let length: number;
  if (version === 6 && plaintext.length >= 40) length = 40 + plaintext.readUInt16BE(4);
  else if (version === 4) length = plaintext.readUInt16BE(2);
  else return undefined;
  return length <= plaintext.length && length > 0 ? plaintext.subarray(0, length) : undefined;
}
