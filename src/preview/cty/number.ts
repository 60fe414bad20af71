/**
 * Terraform's numbers: binary floats with a 512 bit mantissa, `m · 2^e`. Decimal text in, shortest decimal text out that
 * reads back as the same number, rounding to nearest with ties to even. Whole numbers are exact far beyond 2^53.
 */

export interface Num {
  /** Mantissa, odd or zero, at most 512 bits. */
  readonly m: bigint;
  readonly e: number;
}

const precision = 512;
/** Exponents beyond this have no use and would make shifts explode. */
const maxExponent = 8192;

export class NumberRangeError extends Error {
  override name = "NumberRangeError";
}

function bitLength(value: bigint): number {
  const positive = value < 0n ? -value : value;
  if (positive === 0n) return 0;
  const hex = positive.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.charAt(0), 16)));
}

/** Rounds to the precision; `sticky` says that bits below were cut off already. */
function make(m: bigint, e: number, sticky = false): Num {
  if (m === 0n) return zero;
  const negative = m < 0n;
  let mantissa = negative ? -m : m;
  let exponent = e;
  const excess = bitLength(mantissa) - precision;
  if (excess > 0) {
    const shift = BigInt(excess);
    const rest = mantissa & ((1n << shift) - 1n);
    const half = 1n << (shift - 1n);
    mantissa >>= shift;
    exponent += excess;
    if (rest > half || (rest === half && (sticky || (mantissa & 1n) === 1n))) mantissa += 1n;
  }
  while ((mantissa & 0xffff_ffffn) === 0n) {
    mantissa >>= 32n;
    exponent += 32;
  }
  while ((mantissa & 1n) === 0n) {
    mantissa >>= 1n;
    exponent += 1;
  }
  if (Math.abs(exponent) > maxExponent) throw new NumberRangeError("number is out of range");
  return { m: negative ? -mantissa : mantissa, e: exponent };
}

export const zero: Num = { m: 0n, e: 0 };

export function fromInt(value: number | bigint): Num {
  return make(BigInt(value), 0);
}

export function fromNumber(value: number): Num {
  if (Number.isSafeInteger(value)) return fromInt(value);
  if (!Number.isFinite(value)) throw new NumberRangeError(`not a finite number: ${value}`);
  let e = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    e -= 1;
  }
  return make(BigInt(scaled), e);
}

const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/;

/** Reads decimal text such as `-12.5e3`; undefined if it is none. */
export function parseNum(text: string): Num | undefined {
  if (text.length > 4096) return undefined;
  const match = decimal.exec(text);
  if (!match) return undefined;
  const [, sign = "", whole = "", fraction = "", power = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  const digits = BigInt(`${whole}${fraction}`);
  const exponent = Number(power) - fraction.length;
  const signed = sign === "-" ? -digits : digits;
  if (Math.abs(exponent) > 2400) return digits === 0n ? zero : undefined;
  return exponent >= 0
    ? make(signed * 10n ** BigInt(exponent), 0)
    : divideInts(signed, 10n ** BigInt(-exponent), 0);
}

function divideInts(a: bigint, b: bigint, e: number): Num {
  if (a === 0n) return zero;
  const negative = a < 0n !== b < 0n;
  const left = a < 0n ? -a : a;
  const right = b < 0n ? -b : b;
  const shift = Math.max(0, precision + 2 + bitLength(right) - bitLength(left));
  const scaled = left << BigInt(shift);
  const quotient = scaled / right;
  const sticky = scaled % right !== 0n;
  // One more bit carries "something was cut off" through the rounding.
  const mantissa = (quotient << 1n) | (sticky ? 1n : 0n);
  return make(negative ? -mantissa : mantissa, e - shift - 1, sticky);
}

export function add(a: Num, b: Num): Num {
  if (a.m === 0n) return b;
  if (b.m === 0n) return a;
  const e = Math.min(a.e, b.e);
  return make((a.m << BigInt(a.e - e)) + (b.m << BigInt(b.e - e)), e);
}

export const negate = (a: Num): Num => ({ m: -a.m, e: a.e });
export const subtract = (a: Num, b: Num): Num => add(a, negate(b));
export const multiply = (a: Num, b: Num): Num => make(a.m * b.m, a.e + b.e);

/** Throws `NumberRangeError` when dividing by zero. */
export function divide(a: Num, b: Num): Num {
  if (b.m === 0n) throw new NumberRangeError("division by zero");
  return divideInts(a.m, b.m, a.e - b.e);
}

export function truncate(a: Num): Num {
  if (a.e >= 0) return a;
  return make(a.m / (1n << BigInt(-a.e)), 0);
}

export function floor(a: Num): Num {
  const whole = truncate(a);
  return a.m < 0n && compare(whole, a) !== 0 ? subtract(whole, fromInt(1)) : whole;
}

/** Remainder with the sign of the dividend. */
export function modulo(a: Num, b: Num): Num {
  if (b.m === 0n) throw new NumberRangeError("division by zero");
  const e = Math.min(a.e, b.e, 0);
  const left = a.m << BigInt(a.e - e);
  const right = b.m << BigInt(b.e - e);
  return make(left % right, e);
}

export function compare(a: Num, b: Num): -1 | 0 | 1 {
  const e = Math.min(a.e, b.e);
  const left = a.m << BigInt(a.e - e);
  const right = b.m << BigInt(b.e - e);
  return left < right ? -1 : left > right ? 1 : 0;
}

export const isInteger = (a: Num): boolean => a.e >= 0;

/** The whole number as a JavaScript number; undefined when it has a fraction or is not safe. */
export function toSafeInt(a: Num): number | undefined {
  if (!isInteger(a)) return undefined;
  const value = Number(a.m << BigInt(a.e));
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The nearest double. */
export function toDouble(a: Num): number {
  return a.e >= 0 ? Number(a.m << BigInt(a.e)) : Number(formatNum(a));
}

/** Decimal digits without exponent, the fewest that read back as the same number. */
export function formatNum(a: Num): string {
  if (a.e >= 0) return (a.m << BigInt(a.e)).toString();
  const negative = a.m < 0n;
  const m = negative ? -a.m : a.m;
  // Exact expansion: m · 5^k / 10^k.
  const scale = -a.e;
  const exact = m * 5n ** BigInt(scale);
  const length = exact.toString().length;
  // Half of the last place at full precision, on the same scale.
  const ulpShift = precision - bitLength(m) + 1;
  const tolerance = 5n ** BigInt(scale);
  let digits = exact;
  let dropped = 0;
  for (let keep = 1; keep < length; keep += 1) {
    const drop = 10n ** BigInt(length - keep);
    const rounded = ((exact + drop / 2n) / drop) * drop;
    const distance = rounded > exact ? rounded - exact : exact - rounded;
    if (distance << BigInt(ulpShift) < tolerance) {
      digits = rounded / drop;
      dropped = length - keep;
      break;
    }
  }
  const point = scale - dropped;
  let text = digits.toString();
  if (point <= 0) text += "0".repeat(-point);
  else {
    text = text.padStart(point + 1, "0");
    const fraction = text.slice(-point).replace(/0+$/, "");
    text = text.slice(0, -point) + (fraction === "" ? "" : `.${fraction}`);
  }
  return negative ? `-${text}` : text;
}
