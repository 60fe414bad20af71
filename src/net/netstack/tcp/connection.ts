/**
 * One TCP connection as a state machine (RFC 9293, 7323, 2018, 5681, 6298, 5961, 8985): segments in, segments and
 * deadlines out. stack.ts demultiplexes to it, stream.ts gives it the face of a Duplex.
 *
 * Traps it must not step into: a duplicate ACK repeats the window last advertised (stock peers count no other); the right
 * edge of the window never moves back; data out of order is not charged to the window; an RTO is no recovery episode.
 */
import type { Clock } from "#quartz/clock.ts";
import { newCubic } from "./cubic.ts";
import { Deadlines } from "./deadlines.ts";
import { Receiver } from "./receiver.ts";
import { limits } from "./limits.ts";
import { Flow, PeerWindow } from "./flow.ts";
import type { Sent } from "./scoreboard.ts";
import { flag, optionsLength, type Segment, synOptions, type TcpOptions } from "./segment.ts";
import { SendQueue } from "./send-queue.ts";
import { ConnectionError, type ConnectionEvents, type ConnectionOptions } from "./types.ts";
import { add, atOrBefore, before, diff } from "./seq.ts";

type State = "syn-sent" | "syn-received" | "open" | "time-wait" | "closed";

export class TcpConnection {
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  readonly #mss: number;
  #state: State = "closed";

  // Sending.
  readonly #iss: number;
  #una: number;
  #nxt: number;
  readonly #window = new PeerWindow();
  #sendMss: number;
  #useTimestamps = false;
  #useSack = false;
  readonly #queue = new SendQueue();
  readonly #flow: Flow;
  #finQueued = false;
  #finSent = false;
  #finAcked = false;
  /** The peer's FIN came before ours: it keeps TIME-WAIT, not we. */
  #closedSecond = false;
  #progressAt = 0;
  #synRepeated = false;

  readonly #in = new Receiver();
  #tsRecent = 0;
  #lastChallenge = -Infinity;
  #keepalives = 0;
  readonly #at: Deadlines;
  #closedTold = false;
  #orphan = false;

  constructor(options: ConnectionOptions) {
    this.#clock = options.clock;
    this.#events = options.events;
    this.#at = new Deadlines(options.clock, () => this.#onTimer());
    this.#mss = options.mss;
    this.#sendMss = options.mss;
    this.#iss = options.initialSeq;
    this.#una = this.#iss;
    this.#nxt = add(this.#iss, 1);
    this.#flow = new Flow(options.mss, this.#iss);
  }

  get state(): State {
    return this.#state;
  }

  /** Bytes that wait for their first sending. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Everything written, the end included, has been acknowledged. */
  get flushed(): boolean {
    return this.#queue.length === 0 && this.#flow.board.isEmpty && (!this.#finQueued || this.#finAcked);
  }

  get stats(): Flow["stats"] {
    return this.#flow.stats;
  }

  connect(): void {
    this.#state = "syn-sent";
    this.#progressAt = this.#now();
    this.#sendSyn();
  }

  /** Answers a SYN. */
  accept(syn: Segment): void {
    this.#state = "syn-received";
    this.#progressAt = this.#now();
    this.#negotiate(syn);
    this.#sendSyn();
  }

  write(data: Buffer): void {
    if (this.#finQueued || this.#state === "closed") return;
    this.#queue.push(data);
    this.#pump();
  }

  /** No more will be written: FIN follows what waits. */
  end(): void {
    if (this.#finQueued) return;
    this.#finQueued = true;
    this.#pump();
  }

  /** What has come, at most `max` bytes by whole pieces; "end" after the peer's last byte. */
  read(): Buffer | "end" | undefined {
    const piece = this.#in.read();
    if (piece) {
      if (this.#state === "open" && this.#in.shouldTell) this.#sendAck();
      return piece;
    }
    return this.#in.finished ? "end" : undefined;
  }

  /**
   * Nobody holds the connection any more: what was written is still delivered and the end sent, for at most a minute.
   * Data that was not read, or comes now, resets it, so that the peer does not take it for received.
   */
  close(): void {
    if (this.#state !== "open" || this.#in.unreadBytes > 0) return this.abort();
    this.#orphan = true;
    this.#at.gone = this.#now() + limits.lingerMs;
    this.end();
    this.#maybeFinish();
    this.#at.arm();
  }

  /** Resets the connection and forgets it. */
  abort(error: Error = new ConnectionError("ECONNABORTED", "the connection was aborted")): void {
    if (this.#state === "closed") return;
    if (this.#state !== "syn-sent" && this.#state !== "time-wait") {
      this.#emit(this.#nxt, flag.rst | flag.ack, Buffer.alloc(0), {});
    }
    this.#fail(error);
  }

  /** The path has come back: sends again at once instead of waiting for the timer. */
  kick(): void {
    if (this.#at.rto === undefined) return;
    this.#flow.rtt.progressed();
    this.#at.rto = this.#now();
    this.#at.arm();
  }

  /** The peer is there after all: what was sent into the void is sent again, if there was something. */
  heard(): void {
    if (this.#flow.rtt.backedOff) this.kick();
  }

  receive(segment: Segment): void {
    if (this.#state === "syn-sent") this.#onSynSent(segment);
    else if (this.#state !== "closed") this.#onSegment(segment);
  }

  #sendSyn(): void {
    const reply = this.#state === "syn-received";
    const options = synOptions({
      mss: this.#mss,
      sackPermitted: !reply || this.#useSack,
      timestamps: !reply || this.#useTimestamps ? this.#timestamps() : undefined,
      windowScale: !reply || this.#in.scale > 0 ? limits.windowScale : undefined,
    });
    this.#events.send({
      seq: this.#iss,
      ack: reply ? this.#in.nxt : 0,
      flags: reply ? flag.syn | flag.ack : flag.syn,
      window: limits.synWindow,
      options,
      data: Buffer.alloc(0),
    });
    if (reply) {
      this.#in.begin(this.#in.nxt, limits.synWindow);
    }
    this.#at.rto = this.#now() + this.#flow.rtt.rto;
    this.#at.arm();
  }

  #negotiate(syn: Segment): void {
    const { options } = syn;
    this.#in.nxt = add(syn.seq, 1);
    this.#useSack = options.sackPermitted === true;
    this.#useTimestamps = options.timestamps !== undefined;
    this.#tsRecent = options.timestamps?.value ?? 0;
    if (options.windowScale !== undefined) {
      this.#window.scale = options.windowScale;
      this.#in.scale = limits.windowScale;
    }
    this.#sendMss = Math.min(this.#mss, Math.max(64, options.mss ?? 536));
    this.#flow.cc = newCubic(this.#sendMss - (this.#useTimestamps ? 12 : 0));
    this.#window.set(syn.window, syn);
  }

  #onSynSent(segment: Segment): void {
    const acks = (segment.flags & flag.ack) !== 0;
    if (acks && segment.ack !== this.#nxt) return;
    if ((segment.flags & flag.rst) !== 0) {
      if (acks) this.#fail(new ConnectionError("ECONNREFUSED", "the connection was refused"));
      return;
    }
    if ((segment.flags & flag.syn) === 0) return;
    this.#negotiate(segment);
    if (!acks) {
      // Both sides open at once (RFC 9293 §3.5).
      this.#state = "syn-received";
      return this.#sendSyn();
    }
    this.#una = segment.ack;
    if (!this.#synRepeated) this.#flow.rtt.sample(this.#now() - this.#progressAt);
    this.#established();
    this.#sendAck();
    this.#pump();
  }

  #established(): void {
    this.#state = "open";
    this.#at.rto = undefined;
    this.#flow.rtt.progressed();
    this.#progressAt = this.#now();
    this.#at.idle = this.#now() + limits.keepaliveIdleMs;
    this.#in.open();
    this.#at.arm();
    this.#events.onConnect();
  }

  #onSegment(segment: Segment): void {
    const { flags, seq } = segment;
    const length = segment.data.length + ((flags & flag.fin) !== 0 ? 1 : 0);
    if ((flags & flag.rst) !== 0) return this.#onReset(segment);
    if ((flags & flag.syn) !== 0) {
      // A repeated SYN means that our answer was lost; any other is an attack or a confused peer (RFC 5961 §4).
      if (this.#state === "syn-received" && add(seq, 1) === this.#in.nxt) return this.#sendSyn();
      return this.#challenge();
    }
    if ((flags & flag.ack) === 0) return;
    const { timestamps } = segment.options;
    if (this.#useTimestamps) {
      if (!timestamps) return;
      if (before(timestamps.value, this.#tsRecent) && length > 0) return this.#duplicateAck();
      if (atOrBefore(seq, this.#in.nxt) && !before(timestamps.value, this.#tsRecent)) {
        this.#tsRecent = timestamps.value;
      }
    }
    if (this.#state === "syn-received") {
      if (segment.ack !== this.#nxt) return;
      this.#una = segment.ack;
      if (!this.#synRepeated) this.#flow.rtt.sample(this.#now() - this.#progressAt);
      this.#established();
    }
    if (this.#state === "time-wait") {
      if (length > 0) this.#sendAck();
      return;
    }
    this.#at.idle = this.#now() + limits.keepaliveIdleMs;
    this.#keepalives = 0;
    // Answers to empty segments are limited, so that two confused peers cannot keep each other busy.
    if (!this.#in.accepts(seq, length)) return length > 0 ? this.#duplicateAck() : this.#challenge();
    if (!this.#onAck(segment)) return;
    if (length > 0) this.#onData(segment);
    this.#maybeFinish();
    this.#at.arm();
  }

  #onReset(segment: Segment): void {
    if (segment.seq === this.#in.nxt) {
      if (this.#state === "time-wait") return this.#gone();
      return this.#fail(new ConnectionError("ECONNRESET", "the peer reset the connection"));
    }
    if (this.#in.accepts(segment.seq, 0)) this.#challenge();
  }

  #challenge(): void {
    const now = this.#now();
    if (now - this.#lastChallenge < limits.challengeEveryMs) return;
    this.#lastChallenge = now;
    this.#sendAck();
  }

  /** False where the segment must be dropped. */
  #onAck(segment: Segment): boolean {
    const { ack } = segment;
    if (before(this.#nxt, ack) || diff(this.#una, ack) > Math.max(this.#window.max, 65_535)) {
      this.#challenge();
      return false;
    }
    if (before(ack, this.#una)) return true;
    const opened = this.#window.update(segment);
    const now = this.#now();
    // Who answers probes of a closed window lives, however long it stays shut.
    if (this.#flow.board.isEmpty) this.#progressAt = now;
    const advanced = diff(ack, this.#una);
    const acked = this.#flow.onAck(ack, this.#useSack ? (segment.options.sack ?? []) : [], now);
    if (advanced > 0) {
      this.#una = ack;
      this.#flow.rtt.progressed();
      this.#progressAt = now;
      if (this.#finSent && ack === this.#nxt) this.#finAcked = true;
      this.#at.rto = this.#flow.board.isEmpty ? undefined : now + this.#flow.rtt.rto;
    }
    if (acked.bytes > 0) this.#detectLosses();
    if (acked.bytes > 0 || opened) this.#pump();
    if (advanced > 0) this.#events.onWritable();
    return true;
  }

  #detectLosses(): void {
    this.#at.loss = this.#flow.detectLosses(this.#una, this.#nxt, this.#now());
  }

  #onData(segment: Segment): void {
    if (this.#orphan && segment.data.length > 0 && !this.#in.finished) return this.abort();
    const need = this.#in.take(segment);
    if (need === "duplicate") return this.#duplicateAck();
    this.#events.onReadable();
    // Reading may have sent something that carried the acknowledgement.
    if (need === "now") this.#sendAck();
    else if (need === "delayed" && this.#in.unacked > 0) this.#at.ack ??= this.#now() + limits.delayedAckMs;
  }

  #maybeFinish(): void {
    if (!this.#finAcked || !this.#in.finished || this.#state !== "open") return;
    if (this.#closedSecond) {
      this.#tellClosed(undefined);
      return this.#gone();
    }
    this.#state = "time-wait";
    this.#at.rto = undefined;
    this.#at.loss = undefined;
    this.#at.idle = undefined;
    this.#at.gone = this.#now() + limits.timeWaitMs;
    this.#tellClosed(undefined);
  }

  #timestamps(): { value: number; echo: number } {
    return { value: Math.floor(this.#now()) >>> 0, echo: this.#tsRecent };
  }

  #dataOptions(): TcpOptions {
    const sack = this.#useSack ? this.#in.sackBlocks(this.#useTimestamps ? 3 : 4) : [];
    return {
      ...(this.#useTimestamps ? { timestamps: this.#timestamps() } : {}),
      ...(sack.length > 0 ? { sack } : {}),
    };
  }

  #emit(seq: number, flags: number, data: Buffer, options: TcpOptions): void {
    this.#in.unacked = 0;
    this.#at.ack = undefined;
    this.#events.send({ seq, ack: this.#in.nxt, flags, window: this.#in.windowField, options, data });
  }

  #sendAck(): void {
    this.#in.advanceEdge();
    this.#emit(this.#nxt, flag.ack, Buffer.alloc(0), this.#dataOptions());
  }

  #duplicateAck(): void {
    if (this.#in.unacked > 0) return this.#sendAck();
    this.#emit(this.#nxt, flag.ack, Buffer.alloc(0), this.#dataOptions());
  }

  #transmit(sent: Sent): void {
    const push = this.#queue.length === 0 && sent.data.length > 0 ? flag.psh : 0;
    this.#in.advanceEdge();
    this.#emit(sent.seq, flag.ack | push | (sent.fin ? flag.fin : 0), sent.data, this.#dataOptions());
    this.#at.rto ??= this.#now() + this.#flow.rtt.rto;
  }

  /** Sends what may be sent: lost segments first, then new data, then FIN. */
  #pump(): void {
    if (this.#state !== "open") return;
    const now = this.#now();
    while (this.#flow.mayResend) {
      const lost = this.#flow.board.nextLost();
      if (!lost) break;
      this.#flow.board.resent(lost, now);
      this.#flow.stats.retransmits++;
      this.#transmit(lost);
    }
    this.#flow.limited = this.#sendNew(now) || this.#flow.room <= 0;
    if (this.#finQueued && !this.#finSent && this.#queue.length === 0) {
      this.#finSent = true;
      this.#closedSecond = this.#in.finished;
      this.#send(Buffer.alloc(0), true, now);
    }
    // A closed window is probed by the same timer.
    if (this.#queue.length > 0 && this.#flow.board.isEmpty) this.#at.rto ??= now + this.#flow.rtt.rto;
    this.#at.arm();
  }

  /** True when the congestion window was what stopped it. */
  #sendNew(now: number): boolean {
    const payload = this.#sendMss - optionsLength(this.#dataOptions());
    while (this.#queue.length > 0) {
      if (this.#flow.room < Math.min(payload, this.#queue.length)) return true;
      const window = this.#window.size - diff(this.#nxt, this.#una);
      const size = Math.min(payload, this.#queue.length, window);
      // Small pieces of a nearly full window would make the receiver's window silly.
      if (size <= 0 || (size < payload && size < this.#queue.length && !this.#flow.board.isEmpty)) {
        return false;
      }
      this.#send(this.#queue.take(size), false, now);
    }
    return false;
  }

  #send(data: Buffer, fin: boolean, now: number): void {
    const sent: Sent = {
      seq: this.#nxt,
      length: data.length + (fin ? 1 : 0),
      data,
      fin,
      sentAt: now,
      retransmitted: false,
      sacked: false,
      lost: false,
    };
    this.#nxt = add(this.#nxt, sent.length);
    this.#flow.board.push(sent);
    this.#transmit(sent);
  }

  #now(): number {
    return this.#clock.monotonic();
  }

  #onTimer(): void {
    const due = (at: number | undefined): boolean => this.#at.isDue(at);
    if (due(this.#at.gone)) return this.#state === "open" ? this.abort() : this.#gone();
    if (due(this.#at.ack)) this.#sendAck();
    if (due(this.#at.loss)) {
      this.#at.loss = undefined;
      this.#detectLosses();
      this.#pump();
    }
    if (due(this.#at.rto)) this.#onRto();
    if (due(this.#at.idle)) this.#onIdle();
  }

  #onRto(): void {
    const now = this.#now();
    const limit = this.#state === "open" ? limits.giveUpMs : limits.synGiveUpMs;
    if (now - this.#progressAt > limit) {
      return this.#fail(new ConnectionError("ETIMEDOUT", "the peer does not answer"));
    }
    this.#flow.rtt.timedOut();
    this.#at.rto = now + this.#flow.rtt.rto;
    if (this.#state === "syn-sent" || this.#state === "syn-received") {
      this.#synRepeated = true;
      return this.#sendSyn();
    }
    if (this.#flow.board.isEmpty) {
      if (this.#queue.length === 0) this.#at.rto = undefined;
      else this.#probe();
      return;
    }
    this.#flow.onTimeout(this.#una, this.#nxt);
    this.#pump();
  }

  /** A segment that the peer must answer with its window: one byte before what it expects, empty. */
  #probe(): void {
    this.#emit(add(this.#una, -1), flag.ack, Buffer.alloc(0), this.#dataOptions());
  }

  #onIdle(): void {
    if (this.#keepalives >= limits.keepaliveProbes) {
      return this.#fail(new ConnectionError("ETIMEDOUT", "the peer does not answer keepalives"));
    }
    this.#keepalives++;
    this.#at.idle = this.#now() + limits.keepaliveEveryMs;
    this.#probe();
  }

  #fail(error: Error): void {
    this.#tellClosed(error);
    this.#gone();
  }

  #tellClosed(error: Error | undefined): void {
    if (this.#closedTold) return;
    this.#closedTold = true;
    this.#events.onClose(error);
  }

  #gone(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#at.stop();
    this.#tellClosed(new ConnectionError("ECONNABORTED", "the connection was forgotten"));
    this.#events.onGone();
  }
}
