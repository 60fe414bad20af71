/**
 * X25519 by node:crypto on raw 32-byte keys (RFC 7748). Key objects are made once per key: making one costs more than
 * the multiplication's share of a handshake. Used by WireGuard, DERP and disco.
 */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import type { Rand } from "#cryptorand/cryptorand.ts";

/** Headers in front of the raw key in PKCS #8 and SubjectPublicKeyInfo (RFC 8410). */
const pkcs8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const spki = Buffer.from("302a300506032b656e032100", "hex");

export interface PrivateKey {
  /** 32 bytes, clamped. */
  readonly raw: Buffer;
  /** 32 bytes. */
  readonly public: Buffer;
  readonly object: KeyObject;
}

export interface PublicKey {
  /** 32 bytes. */
  readonly raw: Buffer;
  readonly object: KeyObject;
}

/** Throws unless `raw` has 32 bytes. Clamps a copy. */
export function privateKeyFrom(raw: Uint8Array): PrivateKey {
  if (raw.length !== 32) throw new Error(`a private key has 32 bytes: received ${raw.length}`);
  const clamped = Buffer.from(raw);
  clamped.writeUInt8(clamped.readUInt8(0) & 0xf8, 0);
  clamped.writeUInt8((clamped.readUInt8(31) & 0x7f) | 0x40, 31);
  const object = createPrivateKey({ key: Buffer.concat([pkcs8, clamped]), format: "der", type: "pkcs8" });
  const exported = createPublicKey(object).export({ type: "spki", format: "der" });
  return { raw: clamped, public: Buffer.from(exported.subarray(spki.length)), object };
}

export function newPrivateKey(rand: Rand): PrivateKey {
  return privateKeyFrom(rand.bytes(32));
}

/** Throws unless `raw` has 32 bytes. */
export function publicKeyFrom(raw: Uint8Array): PublicKey {
  if (raw.length !== 32) throw new Error(`a public key has 32 bytes: received ${raw.length}`);
  const copy = Buffer.from(raw);
  return {
    raw: copy,
    object: createPublicKey({ key: Buffer.concat([spki, copy]), format: "der", type: "spki" }),
  };
}

/** The shared secret, 32 bytes. Throws for points of low order, whose secret would be zero. */
export function sharedSecret(mine: PrivateKey, theirs: PublicKey): Buffer {
  return diffieHellman({ privateKey: mine.object, publicKey: theirs.object });
}
