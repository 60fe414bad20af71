/**
 * TAI64N: u64 BE 0x400000000000000a + unix seconds, u32 BE nanoseconds. The lowest 24 bits are cleared, so that a
 * timestamp tells no more about the sender's clock than it must.
 */
const tai = 0x4000_0000_0000_000an;

export function timestamp(now: Date): Buffer {
  const ms = now.getTime();
  const out = Buffer.alloc(12);
  out.writeBigUInt64BE(tai + BigInt(Math.floor(ms / 1000)), 0);
  const nanos = (ms % 1000) * 1_000_000;
  out.writeUInt32BE(nanos - (nanos % 0x100_0000), 8);
  return out;
}
