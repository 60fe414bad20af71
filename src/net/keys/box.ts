/**
 * NaCl box: X25519, HSalsa20, XSalsa20-Poly1305 with a 24-byte nonce; the 16-byte tag comes first. DERP logins and
 * disco packets are such boxes. The pair's key is computed once and kept by the caller.
 */
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { type PrivateKey, type PublicKey, sharedSecret } from "./x25519.ts";

export const nonceLength = 24;
export const tagLength = 16;

const sigma = words(Buffer.from("expand 32-byte k"));
const noNonce = new Uint32Array(4);

/** The pair's key, 32 bytes. Throws for public keys of low order. */
export function boxKey(mine: PrivateKey, theirs: PublicKey): Buffer {
  const out = new Uint32Array(8);
  hsalsa(sigma, words(sharedSecret(mine, theirs)), noNonce, out);
  const key = Buffer.alloc(32);
  out.forEach((word, index) => key.writeUInt32LE(word, index * 4));
  return key;
}

export function sealBox(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Buffer {
  return asBuffer(xsalsa20poly1305(key, nonce).encrypt(plaintext));
}

/** Undefined where the box was not made with this key and nonce. */
export function openBox(key: Uint8Array, nonce: Uint8Array, box: Uint8Array): Buffer | undefined {
  if (box.length < tagLength || nonce.length !== nonceLength) return undefined;
  try {
    return asBuffer(xsalsa20poly1305(key, nonce).decrypt(box));
  } catch {
    return undefined;
  }
}

function words(bytes: Buffer): Uint32Array {
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(index * 4));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
