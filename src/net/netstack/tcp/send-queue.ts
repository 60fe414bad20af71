/** Bytes that wait to be sent for the first time. */
export class SendQueue {
  #parts: Buffer[] = [];
  #at = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(data: Buffer): void {
    if (data.length === 0) return;
    this.#parts.push(data);
    this.#length += data.length;
  }

  /** Takes up to `count` bytes; a view where they lie in one piece. */
  take(count: number): Buffer {
    const first = this.#parts[0];
    if (!first) return Buffer.alloc(0);
    const rest = first.length - this.#at;
    if (count < rest) {
      const out = first.subarray(this.#at, this.#at + count);
      this.#at += count;
      this.#length -= count;
      return out;
    }
    const out: Buffer[] = [];
    let taken = 0;
    let used = 0;
    while (taken < count) {
      const part = this.#parts[used];
      if (!part) break;
      const size = Math.min(part.length - this.#at, count - taken);
      out.push(part.subarray(this.#at, this.#at + size));
      taken += size;
      this.#at += size;
      if (this.#at === part.length) {
        used++;
        this.#at = 0;
      }
    }
    this.#parts.splice(0, used);
    this.#length -= taken;
    const [only] = out;
    return out.length === 1 && only ? only : Buffer.concat(out, taken);
  }
}
