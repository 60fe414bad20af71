/**
 * The receiving half of a connection: what comes next, what came ahead, what waits for the reader, and the window that
 * is offered. Its right edge never moves back; data ahead of its turn is not charged to it.
 */
import { Reassembly } from "./reassembly.ts";
import { flag, type SackBlock, type Segment } from "./segment.ts";
import { add, before, diff } from "./seq.ts";

const buffer = 3 << 20;
/** At first every segment is acknowledged, so that the sender's window opens quickly. */
const quickAckBytes = 64 << 10;
/** Two full segments. */
const ackEveryBytes = 2 * 1000;

/** How a segment is to be acknowledged. */
export type AckNeed = "duplicate" | "now" | "delayed" | "none";

export class Receiver {
  /** Next byte that is expected. */
  nxt = 0;
  /** Window as it stands in the header. */
  windowField = 0;
  scale = 0;
  /** The peer's FIN has come. */
  finished = false;
  /** Bytes that came since the last acknowledgement left. */
  unacked = 0;
  #edge = 0;
  #received = 0;
  readonly #ahead = new Reassembly();
  readonly #unread: Buffer[] = [];
  #unreadBytes = 0;

  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  /** Starts behind the peer's SYN, offering `window` bytes. */
  begin(nxt: number, window: number): void {
    this.nxt = nxt;
    this.#edge = add(nxt, window);
    this.windowField = window >> this.scale;
  }

  open(): void {
    this.#edge = this.nxt;
    this.advanceEdge();
  }

  /** Whether some of it lies where data is expected. */
  accepts(seq: number, length: number): boolean {
    if (length === 0) return diff(seq, this.nxt) >= 0 && diff(this.#edge, seq) >= 0;
    return before(this.nxt, add(seq, length)) && before(seq, this.#edge);
  }

  /** Offers what there is room for. */
  advanceEdge(): void {
    const edge = add(this.nxt, Math.max(0, buffer - this.#unreadBytes));
    if (before(this.#edge, edge)) this.#edge = edge;
    const window = Math.max(0, diff(this.#edge, this.nxt));
    // Rounded up, so that the edge never moves back.
    this.windowField = Math.min(65_535, Math.ceil(window / 2 ** this.scale));
    this.#edge = add(this.nxt, this.windowField << this.scale);
  }

  /** Whether the sender should hear of new room: only when it may be waiting for it. */
  get shouldTell(): boolean {
    const free = buffer - this.#unreadBytes;
    const offered = diff(this.#edge, this.nxt);
    return offered < buffer / 2 && free - offered >= buffer / 4;
  }

  /** The newest block first. */
  sackBlocks(count: number): SackBlock[] {
    return this.#ahead.isEmpty ? [] : this.#ahead.sackBlocks(count);
  }

  read(): Buffer | undefined {
    const piece = this.#unread.shift();
    if (piece) this.#unreadBytes -= piece.length;
    return piece;
  }

  /** Takes a segment that `accepts` let through. */
  take(segment: Segment): AckNeed {
    let { seq, data } = segment;
    const fin = (segment.flags & flag.fin) !== 0;
    if (this.finished) return "duplicate";
    if (before(seq, this.nxt)) {
      data = data.subarray(Math.min(data.length, diff(this.nxt, seq)));
      seq = this.nxt;
    }
    const room = diff(this.#edge, seq);
    const cut = data.length > room;
    if (cut) data = data.subarray(0, room);
    if (seq !== this.nxt) {
      if (data.length > 0) this.#ahead.insert(seq, data);
      // A FIN ahead of its turn comes again with the retransmission.
      return "duplicate";
    }
    let urgent = false;
    if (data.length > 0) {
      this.#push(data);
      const more = this.#ahead.take(this.nxt);
      if (more) {
        for (const part of more.parts) this.#push(part);
        urgent = true;
      }
    }
    if (fin && !cut && add(segment.seq, segment.data.length) === this.nxt) {
      this.nxt = add(this.nxt, 1);
      this.finished = true;
      urgent = true;
    }
    this.unacked += data.length;
    if (urgent || !this.#ahead.isEmpty) return "now";
    if (data.length === 0) return "none";
    return this.#received < quickAckBytes || this.unacked >= ackEveryBytes ? "now" : "delayed";
  }

  #push(data: Buffer): void {
    this.nxt = add(this.nxt, data.length);
    this.#received += data.length;
    this.#unread.push(data);
    this.#unreadBytes += data.length;
  }
}
