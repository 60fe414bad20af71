/**
 * Packets that wait for a slow receiver. Bounded; when full, the sender with the most waiting packets loses its oldest,
 * so that one busy sender cannot starve the others.
 */
export interface Queued {
  /** Who sent it. */
  readonly from: string;
  readonly frame: Buffer;
}

export class FairQueue {
  readonly #limit: number;
  #items: (Queued | undefined)[] = [];
  #head = 0;
  #length = 0;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** Gives what was dropped to make room. */
  push(item: Queued): Queued | undefined {
    let dropped: Queued | undefined;
    if (this.#length >= this.#limit) dropped = this.#dropFrom(this.#busiest());
    this.#items.push(item);
    this.#length++;
    this.#counts.set(item.from, (this.#counts.get(item.from) ?? 0) + 1);
    return dropped;
  }

  shift(): Queued | undefined {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head];
      this.#items[this.#head++] = undefined;
      if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#head);
        this.#head = 0;
      }
      if (item) {
        this.#forget(item);
        return item;
      }
    }
    this.#items = [];
    this.#head = 0;
    return undefined;
  }

  #busiest(): string {
    let best = "";
    let most = 0;
    for (const [from, count] of this.#counts) {
      if (count > most) [best, most] = [from, count];
    }
    return best;
  }

  #dropFrom(from: string): Queued | undefined {
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item?.from !== from) continue;
      this.#items[at] = undefined;
      this.#forget(item);
      return item;
    }
    return undefined;
  }

  #forget(item: Queued): void {
    this.#length--;
    const left = (this.#counts.get(item.from) ?? 1) - 1;
    if (left > 0) this.#counts.set(item.from, left);
    else this.#counts.delete(item.from);
  }
}
