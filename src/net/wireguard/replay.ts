/**
 * Which counters of a session have been seen (RFC 6479): a bitmap of 8192 over a ring of words, of which 8128 back from
 * the highest counter are trusted.
 */
const words = 256;
const windowSize = (words - 2) * 32;

export class ReplayWindow {
  #highest = -1;
  readonly #bits = new Uint32Array(words);

  /** True for a counter seen for the first time and not too old; marks it. Call it after the tag was checked. */
  accept(counter: number): boolean {
    const word = Math.floor(counter / 32);
    if (counter > this.#highest) {
      const last = this.#highest < 0 ? -1 : Math.floor(this.#highest / 32);
      const steps = Math.min(word - last, words);
      for (let step = 1; step <= steps; step++) this.#bits[(last + step) % words] = 0;
      this.#highest = counter;
    } else if (counter + windowSize < this.#highest) {
      return false;
    }
    const bit = 1 << (counter % 32);
    const seen = this.#bits[word % words] ?? 0;
    if ((seen & bit) !== 0) return false;
    this.#bits[word % words] = seen | bit;
    return true;
  }
}
