/** Chance as a parameter: `cryptoRand` in programs, `seededRand` (seeded.ts) in tests that must repeat. */
import { randomBytes } from "node:crypto";

export const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export interface Rand {
  bytes(length: number): Buffer;
  /** Uniform in [0, max). `max` up to 2^32. */
  int(max: number): number;
  /** `length` characters, each uniform over `charset` (at most 256 characters). */
  string(length: number, charset?: string): string;
  /** A version 4 UUID in lower case. */
  uuid(): string;
}

/** Everything else follows from bytes. Values that would make a choice uneven are drawn again. */
export function randFrom(bytes: (length: number) => Buffer): Rand {
  function int(max: number): number {
    if (!Number.isInteger(max) || max < 1 || max > 2 ** 32) {
      throw new Error(`max must be 1 to 2^32: received ${max}`);
    }
    const limit = 2 ** 32 - (2 ** 32 % max);
    for (;;) {
      const value = bytes(4).readUInt32LE(0);
      if (value < limit) return value % max;
    }
  }
  function string(length: number, charset = alphanumeric): string {
    let out = "";
    const limit = 256 - (256 % charset.length);
    while (out.length < length) {
      for (const byte of bytes(length - out.length)) {
        if (byte < limit) out += charset[byte % charset.length];
      }
    }
    return out;
  }
  function uuid(): string {
    const raw = bytes(16);
    raw.writeUInt8((raw.readUInt8(6) & 0x0f) | 0x40, 6);
    raw.writeUInt8((raw.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = raw.toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
  return { bytes, int, string, uuid };
}

/** A call into the system for each request id would cost more than the rest of it; no byte is given out twice. */
function pooledBytes(): (length: number) => Buffer {
  const poolSize = 8192;
  let pool = Buffer.alloc(0);
  return (length) => {
    if (length > 256) return randomBytes(length);
    if (pool.length < length) pool = randomBytes(poolSize);
    const out = Buffer.from(pool.subarray(0, length));
    pool.fill(0, 0, length);
    pool = pool.subarray(length);
    return out;
  };
}

export const cryptoRand: Rand = randFrom(pooledBytes());
