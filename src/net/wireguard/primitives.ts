/** The hash, key derivation and ciphers of Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, by node:crypto where it has them. */
import { createCipheriv, createDecipheriv, createHash, createHmac, type KeyObject } from "node:crypto";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { blake2s } from "@noble/hashes/blake2.js";

export const empty = Buffer.alloc(0);
const cipherName = "chacha20-poly1305";
const tagOptions = { authTagLength: 16 };

export function hash(...parts: readonly Uint8Array[]): Buffer {
  const state = createHash("blake2s256");
  for (const part of parts) state.update(part);
  return state.digest();
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const state = createHmac("blake2s256", key);
  for (const part of parts) state.update(part);
  return state.digest();
}

/** KDF1: the next chaining key. */
export function kdf1(key: Uint8Array, input: Uint8Array): Buffer {
  return hmac(hmac(key, input), Buffer.of(1));
}

/** KDF2: the next chaining key and one key. */
export function kdf2(key: Uint8Array, input: Uint8Array): readonly [Buffer, Buffer] {
  const seed = hmac(key, input);
  const first = hmac(seed, Buffer.of(1));
  return [first, hmac(seed, first, Buffer.of(2))];
}

/** KDF3: the next chaining key and two keys. */
export function kdf3(key: Uint8Array, input: Uint8Array): readonly [Buffer, Buffer, Buffer] {
  const seed = hmac(key, input);
  const first = hmac(seed, Buffer.of(1));
  const second = hmac(seed, first, Buffer.of(2));
  return [first, second, hmac(seed, second, Buffer.of(3))];
}

/** Keyed BLAKE2s with 16 bytes of output: mac1 and mac2. */
export function mac(key: Uint8Array, data: Uint8Array): Buffer {
  return Buffer.from(blake2s(data, { key, dkLen: 16 }));
}

/** 4 zero bytes and the counter, little-endian. */
function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(counter >>> 0, 4);
  nonce.writeUInt32LE(Math.floor(counter / 2 ** 32), 8);
  return nonce;
}

/** Node spends more time on raw keys than on a packet: sessions hold a KeyObject. */
export type CipherKey = Uint8Array | KeyObject;

/** Ciphertext and tag. */
export function seal(key: CipherKey, counter: number, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const cipher = createCipheriv(cipherName, key, nonceOf(counter), tagOptions);
  if (aad.length > 0) cipher.setAAD(aad, { plaintextLength: plaintext.length });
  const body = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

/** Seals into `out` at `offset`: ciphertext, then tag. For transport packets, which have no further data. */
export function sealInto(
  key: CipherKey,
  counter: number,
  plaintext: Uint8Array,
  out: Buffer,
  offset: number,
): void {
  const cipher = createCipheriv(cipherName, key, nonceOf(counter), tagOptions);
  const body = cipher.update(plaintext);
  cipher.final();
  body.copy(out, offset);
  cipher.getAuthTag().copy(out, offset + body.length);
}

/** Undefined where the tag does not fit. */
export function open(
  key: CipherKey,
  counter: number,
  sealed: Uint8Array,
  aad: Uint8Array,
): Buffer | undefined {
  const length = sealed.length - 16;
  if (length < 0) return undefined;
  const decipher = createDecipheriv(cipherName, key, nonceOf(counter), tagOptions);
  if (aad.length > 0) decipher.setAAD(aad, { plaintextLength: length });
  decipher.setAuthTag(sealed.subarray(length));
  const body = decipher.update(sealed.subarray(0, length));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return body;
}

export function sealCookie(key: Uint8Array, nonce: Uint8Array, cookie: Uint8Array, aad: Uint8Array): Buffer {
  return Buffer.from(xchacha20poly1305(key, nonce, aad).encrypt(cookie));
}

export function openCookie(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Buffer | undefined {
  try {
    return Buffer.from(xchacha20poly1305(key, nonce, aad).decrypt(sealed));
  } catch {
    return undefined;
  }
}
