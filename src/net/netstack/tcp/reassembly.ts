/** Data that came ahead of its turn, as disjoint ranges with the pieces of each. Bounded by the window and in number. */
import { add, atOrBefore, before, diff } from "./seq.ts";
import type { SackBlock } from "./segment.ts";

interface Range {
  start: number;
  end: number;
  parts: Buffer[];
}

/** More holes than this are no path's reordering. */
const maxRanges = 512;
/** Small pieces are copied, so that they do not keep their packet alive. */
const copyBelow = 512;

export class Reassembly {
  #ranges: Range[] = [];
  /** Starts of ranges, most recently changed first: the order in which SACK reports them. */
  #recent: Range[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** Data that begins beyond the next expected byte. */
  insert(seq: number, data: Buffer): void {
    let start = seq;
    let piece = data;
    let at = 0;
    while (at < this.#ranges.length && before(this.#ranges[at]?.end ?? 0, start)) at++;
    const left = this.#ranges[at];
    if (left && atOrBefore(left.start, start)) {
      const overlap = diff(left.end, start);
      if (overlap >= piece.length) return this.#touch(left);
      piece = piece.subarray(overlap);
      start = left.end;
    } else if (this.#ranges.length >= maxRanges) {
      return;
    }
    if (piece.length < copyBelow) piece = Buffer.from(piece);
    let range: Range;
    if (left && left.end === start) {
      range = left;
      range.parts.push(piece);
      range.end = add(start, piece.length);
      at++;
    } else {
      range = { start, end: add(start, piece.length), parts: [piece] };
      this.#ranges.splice(at++, 0, range);
    }
    this.#absorb(range, at);
    this.#touch(range);
  }

  /** Joins what follows a range and is now covered or adjacent. */
  #absorb(range: Range, at: number): void {
    for (;;) {
      const next = this.#ranges[at];
      if (!next || before(range.end, next.start)) return;
      const overlap = diff(range.end, next.start);
      const length = diff(next.end, next.start);
      if (overlap < length) {
        let skip = overlap;
        for (const part of next.parts) {
          if (skip >= part.length) skip -= part.length;
          else {
            range.parts.push(skip > 0 ? part.subarray(skip) : part);
            skip = 0;
          }
        }
        range.end = next.end;
      }
      this.#ranges.splice(at, 1);
      this.#recent = this.#recent.filter((other) => other !== next);
    }
  }

  #touch(range: Range): void {
    if (this.#recent[0] === range) return;
    this.#recent = [range, ...this.#recent.filter((other) => other !== range)].slice(0, 8);
  }

  /** What now follows `next` without a hole; undefined where the hole is still there. */
  take(next: number): { readonly parts: readonly Buffer[]; readonly end: number } | undefined {
    const [first] = this.#ranges;
    if (!first || before(next, first.start)) return undefined;
    this.#ranges.shift();
    this.#recent = this.#recent.filter((other) => other !== first);
    if (atOrBefore(first.end, next)) return this.take(next);
    let skip = diff(next, first.start);
    const parts: Buffer[] = [];
    for (const part of first.parts) {
      if (skip >= part.length) skip -= part.length;
      else {
        parts.push(skip > 0 ? part.subarray(skip) : part);
        skip = 0;
      }
    }
    return { parts, end: first.end };
  }

  /** Up to `count` blocks, the one with the newest data first (RFC 2018). */
  sackBlocks(count: number): SackBlock[] {
    const out: SackBlock[] = [];
    for (const range of this.#recent) {
      if (out.length >= count) return out;
      out.push({ start: range.start, end: range.end });
    }
    for (const range of this.#ranges) {
      if (out.length >= count) return out;
      if (!this.#recent.includes(range)) out.push({ start: range.start, end: range.end });
    }
    return out;
  }
}
