import { createHash } from "node:crypto";
import { type Rand, randFrom } from "./cryptorand.ts";

/** The same seed gives the same sequence. For tests and simulations only. */
export function seededRand(seed: string): Rand {
  let counter = 0;
  let pool = Buffer.alloc(0);
  return randFrom((length) => {
    while (pool.length < length) {
      pool = Buffer.concat([pool, createHash("sha256").update(`${seed}/${counter++}`).digest()]);
    }
    const out = pool.subarray(0, length);
    pool = pool.subarray(length);
    return out;
  });
}
