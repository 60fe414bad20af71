/** Round-trip time and retransmission timeout (RFC 6298), in milliseconds. */
const minRto = 200;
/** Short, because a tunnel's path often comes back at once, and one small packet is a cheap question. */
const maxRto = 10_000;

export class RttEstimator {
  srtt = 0;
  #variance = 0;
  #backoff = 0;

  sample(ms: number): void {
    if (this.srtt === 0) {
      this.srtt = Math.max(ms, 0.01);
      this.#variance = ms / 2;
    } else {
      this.#variance += (Math.abs(this.srtt - ms) - this.#variance) / 4;
      this.srtt += (ms - this.srtt) / 8;
    }
  }

  /** Timeout with the backoff of timeouts in a row. */
  get rto(): number {
    const base = this.srtt === 0 ? 1000 : Math.max(minRto, this.srtt + 4 * this.#variance);
    return Math.min(maxRto, base * 2 ** this.#backoff);
  }

  timedOut(): void {
    if (this.#backoff < 16) this.#backoff++;
  }

  /** The timer ran out, and nothing was acknowledged since. */
  get backedOff(): boolean {
    return this.#backoff > 0;
  }

  progressed(): void {
    this.#backoff = 0;
  }
}
