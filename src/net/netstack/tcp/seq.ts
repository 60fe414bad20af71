/** Arithmetic on 32-bit sequence numbers, which wrap. */

/** a − b as a signed number. */
export function diff(a: number, b: number): number {
  return (a - b) | 0;
}

export function add(a: number, n: number): number {
  return (a + n) >>> 0;
}

export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function atOrBefore(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}
