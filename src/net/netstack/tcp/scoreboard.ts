/**
 * What was sent and is not yet acknowledged, with SACK (RFC 6675) and time-based loss marking (RACK, RFC 8985). It
 * decides which segments are lost; connection.ts sends them again.
 *
 * Counts: outstanding = all bytes here; pipe = those that are neither sacked nor lost.
 */
import { add, atOrBefore, before, diff } from "./seq.ts";
import type { SackBlock } from "./segment.ts";

export interface Sent {
  seq: number;
  /** Sequence numbers it takes: data, and one for FIN. */
  length: number;
  data: Buffer;
  readonly fin: boolean;
  sentAt: number;
  retransmitted: boolean;
  sacked: boolean;
  lost: boolean;
}

export interface Acked {
  /** Bytes newly acknowledged, in order or by SACK. */
  readonly bytes: number;
  /** Milliseconds, from a segment that was sent once. */
  readonly rtt: number | undefined;
  readonly newlySacked: boolean;
}

const dupThresh = 3;

export class Scoreboard {
  #items: Sent[] = [];
  #head = 0;
  #outstanding = 0;
  #sacked = 0;
  #lost = 0;
  #sackedCount = 0;
  /** Index from which lost segments may stand. */
  #lostFrom = 0;
  /** Most recently sent segment that is known to have arrived. */
  #rack = { sentAt: -Infinity, end: 0, rtt: 0 };
  #highestSacked: number | undefined;
  #reorderingSeen = false;
  #lastBlocks: readonly SackBlock[] = [];
  #minRtt = Infinity;

  get outstanding(): number {
    return this.#outstanding;
  }

  get pipe(): number {
    return this.#outstanding - this.#sacked - this.#lost;
  }

  get lostBytes(): number {
    return this.#lost;
  }

  get isEmpty(): boolean {
    return this.#head >= this.#items.length;
  }

  first(): Sent | undefined {
    return this.#items[this.#head];
  }

  push(sent: Sent): void {
    this.#items.push(sent);
    this.#outstanding += sent.length;
  }

  /** Takes an acknowledgement; `una` is what it acknowledges in order. */
  onAck(una: number, blocks: readonly SackBlock[], now: number): Acked {
    let bytes = 0;
    let rtt: number | undefined;
    for (;;) {
      const item = this.#items[this.#head];
      if (!item || !before(item.seq, una)) break;
      const end = add(item.seq, item.length);
      if (before(una, end)) {
        bytes += this.#cut(item, diff(una, item.seq));
        break;
      }
      if (!item.sacked) bytes += item.length;
      if (!item.retransmitted && !item.sacked) rtt = now - item.sentAt;
      if (!item.sacked) this.#delivered(item, end, now);
      this.#drop(item);
    }
    this.#compact();
    if (this.#highestSacked !== undefined && atOrBefore(this.#highestSacked, una)) {
      this.#highestSacked = undefined;
    }
    const sackedNow = blocks.length > 0 ? this.#onSack(una, blocks, now) : 0;
    if (rtt !== undefined) this.#minRtt = Math.min(this.#minRtt, rtt);
    return { bytes: bytes + sackedNow, rtt, newlySacked: sackedNow > 0 };
  }

  /** Marks what must be lost by now. Gives whether something was marked, and when to look again. */
  detectLosses(
    now: number,
    srtt: number,
    inRecovery: boolean,
  ): { marked: boolean; again: number | undefined } {
    const { sentAt, end, rtt } = this.#rack;
    if (this.#highestSacked === undefined && !this.#hasRetransmitted()) {
      return { marked: false, again: undefined };
    }
    const eager = !this.#reorderingSeen && (inRecovery || this.#sackedCount >= dupThresh);
    const slack = eager ? 0 : Math.min(this.#minRtt / 4, srtt);
    let marked = false;
    let again: number | undefined;
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (!item || item.sacked || item.lost) continue;
      if (item.sentAt > sentAt || (item.sentAt === sentAt && !before(item.seq, end))) {
        // Segments stand in the order of their first sending: what was sent once and later than this ends the search.
        if (!item.retransmitted) break;
        continue;
      }
      const due = item.sentAt + rtt + slack;
      if (due <= now) {
        this.#markLost(item, at);
        marked = true;
      } else if (again === undefined || due < again) again = due;
    }
    return { marked, again };
  }

  /** After a timeout everything that was not sacked is lost. */
  loseAll(): void {
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item && !item.sacked && !item.lost) this.#markLost(item, at);
    }
  }

  /** The first lost segment; it counts as in flight again once `resent` is called. */
  nextLost(): Sent | undefined {
    if (this.#lost === 0) return undefined;
    for (let at = Math.max(this.#lostFrom, this.#head); at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item?.lost) {
        this.#lostFrom = at;
        return item;
      }
    }
    return undefined;
  }

  resent(item: Sent, now: number): void {
    if (item.lost) {
      item.lost = false;
      this.#lost -= item.length;
    }
    item.retransmitted = true;
    item.sentAt = now;
  }

  #hasRetransmitted(): boolean {
    return this.first()?.retransmitted ?? false;
  }

  #markLost(item: Sent, at: number): void {
    item.lost = true;
    this.#lost += item.length;
    if (at < this.#lostFrom) this.#lostFrom = at;
  }

  #onSack(una: number, blocks: readonly SackBlock[], now: number): number {
    let bytes = 0;
    for (const { start, end } of blocks) {
      if (!before(start, end) || atOrBefore(end, una)) continue;
      // A block that grew is looked at only where it grew.
      const known = this.#lastBlocks.find((block) => block.start === start);
      const from = known && atOrBefore(known.end, end) ? known.end : start;
      bytes += this.#sackRange(from, end, now);
    }
    this.#lastBlocks = blocks;
    return bytes;
  }

  #sackRange(start: number, end: number, now: number): number {
    let bytes = 0;
    for (let at = this.#indexOf(start); at < this.#items.length; at++) {
      const item = this.#items[at];
      if (!item) break;
      const itemEnd = add(item.seq, item.length);
      if (before(end, itemEnd)) break;
      if (item.sacked || before(item.seq, start)) continue;
      if (!item.retransmitted && this.#highestSacked !== undefined && before(itemEnd, this.#highestSacked)) {
        this.#reorderingSeen = true;
      }
      item.sacked = true;
      this.#sacked += item.length;
      this.#sackedCount++;
      bytes += item.length;
      if (item.lost) {
        item.lost = false;
        this.#lost -= item.length;
      }
      if (this.#highestSacked === undefined || before(this.#highestSacked, itemEnd)) {
        this.#highestSacked = itemEnd;
      }
      this.#delivered(item, itemEnd, now);
    }
    return bytes;
  }

  /** Index of the first segment at or behind `seq`. */
  #indexOf(seq: number): number {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(this.#items[middle]?.seq ?? 0, seq)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #delivered(item: Sent, end: number, now: number): void {
    const rtt = now - item.sentAt;
    // An acknowledgement sooner than any round trip is for the first sending, not for the repeat.
    if (item.retransmitted && rtt < this.#minRtt) return;
    const { sentAt } = this.#rack;
    if (item.sentAt > sentAt || (item.sentAt === sentAt && before(this.#rack.end, end))) {
      this.#rack = { sentAt: item.sentAt, end, rtt };
    }
  }

  #cut(item: Sent, bytes: number): number {
    const wasSacked = item.sacked;
    this.#outstanding -= bytes;
    if (item.sacked) this.#sacked -= bytes;
    if (item.lost) this.#lost -= bytes;
    item.seq = add(item.seq, bytes);
    item.length -= bytes;
    item.data = item.data.subarray(bytes);
    return wasSacked ? 0 : bytes;
  }

  #drop(item: Sent): void {
    this.#outstanding -= item.length;
    if (item.sacked) {
      this.#sacked -= item.length;
      this.#sackedCount--;
    }
    if (item.lost) this.#lost -= item.length;
    this.#head++;
  }

  #compact(): void {
    if (this.#head < 512 || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#lostFrom = Math.max(0, this.#lostFrom - this.#head);
    this.#head = 0;
  }
}
