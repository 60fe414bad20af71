/** How fast a connection may send: the peer's window, the congestion window, and which segments are lost. */
import { type Cubic, newCubic, onAcked, onLoss, onTimeout } from "./cubic.ts";
import { RttEstimator } from "./rtt.ts";
import { type Acked, Scoreboard } from "./scoreboard.ts";
import type { SackBlock, Segment } from "./segment.ts";
import { atOrBefore, before, diff } from "./seq.ts";

/** The window that the peer offers; only newer segments change it (RFC 9293 §3.10.7.4). */
export class PeerWindow {
  scale = 0;
  size = 0;
  max = 0;
  #seq = 0;
  #ack = 0;

  set(size: number, segment: Segment): void {
    this.size = size;
    this.max = Math.max(this.max, size);
    this.#seq = segment.seq;
    this.#ack = segment.ack;
  }

  /** True when it opened. */
  update(segment: Segment): boolean {
    const newer =
      before(this.#seq, segment.seq) || (this.#seq === segment.seq && atOrBefore(this.#ack, segment.ack));
    if (!newer) return false;
    const previous = this.size;
    this.set(segment.window << this.scale, segment);
    return this.size > previous;
  }
}

export class Flow {
  readonly board = new Scoreboard();
  readonly rtt = new RttEstimator();
  cc: Cubic;
  /** The congestion window was what stopped the sender last. */
  limited = false;
  #inRecovery = false;
  #recoverPoint: number;
  readonly stats = { retransmits: 0, timeouts: 0, recoveries: 0 };

  constructor(mss: number, initialSeq: number) {
    this.cc = newCubic(mss);
    this.#recoverPoint = initialSeq;
  }

  get mayResend(): boolean {
    return this.board.lostBytes > 0 && this.board.pipe < this.cc.cwnd;
  }

  get room(): number {
    return this.cc.cwnd - this.board.pipe;
  }

  onAck(una: number, blocks: readonly SackBlock[], now: number): Acked {
    const { limited } = this;
    const acked = this.board.onAck(una, blocks, now);
    if (acked.rtt !== undefined) this.rtt.sample(acked.rtt);
    if (this.#inRecovery && atOrBefore(this.#recoverPoint, una)) this.#inRecovery = false;
    if (!this.#inRecovery && limited && acked.bytes > 0) onAcked(this.cc, acked.bytes, now, this.rtt.srtt);
    return acked;
  }

  /** Marks losses; gives when to look again. */
  detectLosses(una: number, nxt: number, now: number): number | undefined {
    const { marked, again } = this.board.detectLosses(now, this.rtt.srtt, this.#inRecovery);
    if (marked && !this.#inRecovery && !before(una, this.#recoverPoint)) {
      this.#inRecovery = true;
      this.#recoverPoint = nxt;
      this.stats.recoveries++;
      onLoss(this.cc);
    }
    return again;
  }

  /** An RTO is no recovery episode: the window grows again from slow start. */
  onTimeout(una: number, nxt: number): void {
    this.stats.timeouts++;
    onTimeout(this.cc, diff(nxt, una));
    this.#inRecovery = false;
    this.#recoverPoint = nxt;
    this.board.loseAll();
  }
}
