/**
 * mac1, mac2 and cookies (the WireGuard paper, §5.3 and §5.4.7). mac1 proves that the sender knows our public key; a
 * loaded responder answers with a cookie bound to the sender's source, and then wants mac2 made with that cookie.
 *
 *   cookie reply (64)  03 00 00 00 │ receiver u32 │ nonce 24 │ cookie 16+16 (XChaCha20-Poly1305, further data mac1)
 */
import { timingSafeEqual } from "node:crypto";
import { hash, mac, openCookie, sealCookie } from "./primitives.ts";
import { messageType } from "./noise.ts";

export const cookieReplyLength = 64;
const macLabel = Buffer.from("mac1----");
const cookieLabel = Buffer.from("cookie--");

/** Key of mac1 in messages to the holder of this public key. */
export function mac1Key(publicKey: Uint8Array): Buffer {
  return hash(macLabel, publicKey);
}

/** Key under which the holder of this public key sends cookies. */
export function cookieKey(publicKey: Uint8Array): Buffer {
  return hash(cookieLabel, publicKey);
}

/** Writes mac1, and mac2 where a cookie is known, at the end of a handshake message. Gives mac1. */
export function writeMacs(message: Buffer, key: Uint8Array, cookie: Uint8Array | undefined): Buffer {
  const at = message.length - 32;
  const mac1 = mac(key, message.subarray(0, at));
  mac1.copy(message, at);
  if (cookie) mac(cookie, message.subarray(0, at + 16)).copy(message, at + 16);
  return mac1;
}

export function mac1Fits(message: Buffer, key: Uint8Array): boolean {
  const at = message.length - 32;
  return timingSafeEqual(mac(key, message.subarray(0, at)), message.subarray(at, at + 16));
}

export function mac2Fits(message: Buffer, cookie: Uint8Array): boolean {
  const at = message.length - 16;
  return timingSafeEqual(mac(cookie, message.subarray(0, at)), message.subarray(at));
}

export function createCookieReply(
  message: Buffer,
  key: Uint8Array,
  nonce: Uint8Array,
  cookie: Uint8Array,
): Buffer {
  const reply = Buffer.alloc(cookieReplyLength);
  reply.writeUInt32LE(messageType.cookieReply, 0);
  message.copy(reply, 4, 4, 8);
  Buffer.from(nonce).copy(reply, 8);
  const at = message.length - 32;
  sealCookie(key, nonce, cookie, message.subarray(at, at + 16)).copy(reply, 32);
  return reply;
}

/** The cookie, if the reply answers the message that carried `mac1`. */
export function openCookieReply(reply: Buffer, key: Uint8Array, mac1: Uint8Array): Buffer | undefined {
  return openCookie(key, reply.subarray(8, 32), reply.subarray(32), mac1);
}
