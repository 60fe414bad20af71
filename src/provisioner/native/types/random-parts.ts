/** Parts that the `random` types share. */
import * as t from "#preview/cty/type.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { optional } from "./define.ts";

export const randomProvider = "registry.terraform.io/hashicorp/random";

/** Whatever changes here asks for a new value. */
export const keepers = optional(t.map(t.string));

export const maxLength = 65_536;

export const lengthProblem = (length: number): string | undefined =>
  length >= 1 && length <= maxLength
    ? undefined
    : `the length must be between 1 and ${maxLength}, got ${length}`;

export function shuffle<T>(items: readonly T[], rand: Rand): T[] {
  const out = [...items];
  for (let at = out.length - 1; at > 0; at -= 1) {
    const other = rand.int(at + 1);
    const [a, b] = [out[at], out[other]];
    if (a === undefined || b === undefined) continue;
    out[at] = b;
    out[other] = a;
  }
  return out;
}
