/**
 * One TCP connection as a state machine (RFC 9293, 7323, 2018, 5681, 6298, 5961, 8985): segments in, segments and
 * deadlines out. stack.ts demultiplexes to it, stream.ts gives it the face of a Duplex.
 *
 * Traps it must not step into: a duplicate ACK repeats the window last advertised (stock peers count no other); the right
 * edge of the window never moves back; data out of order is not charged to the window; an RTO is no recovery episode.
 */
import type { Clock, Timer } from "#quartz/clock.ts";
import { type Cubic, newCubic, onAcked, onLoss, onTimeout } from "./cubic.ts";
import { Reassembly } from "./reassembly.ts";
import { RttEstimator } from "./rtt.ts";
import { Scoreboard, type Sent } from "./scoreboard.ts";
import { flag, optionsLength, type Segment, type TcpOptions } from "./segment.ts";
import { SendQueue } from "./send-queue.ts";
import { add, atOrBefore, before, diff } from "./seq.ts";

const windowScale = 7;
const receiveBuffer = 3 << 20;
const synWindow = 65_535;
const delayedAckMs = 20;
/** At first every segment is acknowledged, so that the sender's window opens quickly. */
const quickAckBytes = 64 << 10;
const timeWaitMs = 30_000;
/** Without progress for this long the peer is gone. */
const giveUpMs = 15 * 60_000;
const synGiveUpMs = 120_000;
const keepaliveIdleMs = 2 * 3_600_000;
const keepaliveEveryMs = 75_000;
const keepaliveProbes = 9;
const lingerMs = 60_000;
const challengeEveryMs = 100;

export class ConnectionError extends Error {
  readonly code: "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "ECONNABORTED";
  constructor(code: ConnectionError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export type OutSegment = Omit<Segment, "sourcePort" | "destinationPort">;

export interface ConnectionEvents {
  send(segment: OutSegment): void;
  onConnect(): void;
  /** Data or the peer's end can be read. */
  onReadable(): void;
  onWritable(): void;
  /** Both halves are done, or the connection failed. Comes once. */
  onClose(error: Error | undefined): void;
  /** The table may forget it. Comes once, after onClose; later by TIME-WAIT. */
  onGone(): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly initialSeq: number;
  readonly mss: number;
  readonly events: ConnectionEvents;
}

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
  #peerWindow = 0;
  #maxPeerWindow = 0;
  #windowSeq = 0;
  #windowAck = 0;
  #peerScale = 0;
  #sendMss: number;
  #useTimestamps = false;
  #useSack = false;
  readonly #queue = new SendQueue();
  readonly #board = new Scoreboard();
  readonly #rtt = new RttEstimator();
  #cc: Cubic;
  #inRecovery = false;
  #recoverPoint: number;
  #windowLimited = false;
  #finQueued = false;
  #finSent = false;
  #finAcked = false;
  /** The peer's FIN came before ours: it keeps TIME-WAIT, not we. */
  #closedSecond = false;
  #progressAt = 0;
  #synRepeated = false;

  // Receiving.
  #rcvNxt = 0;
  #rightEdge = 0;
  #lastWindowField = 0;
  #ourScale = 0;
  #tsRecent = 0;
  readonly #ahead = new Reassembly();
  #unread: Buffer[] = [];
  #unreadBytes = 0;
  #received = 0;
  #peerFinished = false;
  #unacked = 0;
  #lastChallenge = -Infinity;
  #keepalives = 0;

  // Deadlines on the monotonic clock; one timer serves the soonest.
  #rtoAt: number | undefined;
  #ackAt: number | undefined;
  #rackAt: number | undefined;
  #idleAt: number | undefined;
  #goneAt: number | undefined;
  #timer: Timer | undefined;
  #armedFor = Infinity;
  #closedTold = false;
  #orphan = false;

  /** Counts for tests and diagnostics. */
  readonly stats = { retransmits: 0, timeouts: 0, recoveries: 0 };

  constructor(options: ConnectionOptions) {
    this.#clock = options.clock;
    this.#events = options.events;
    this.#mss = options.mss;
    this.#sendMss = options.mss;
    this.#iss = options.initialSeq;
    this.#una = this.#iss;
    this.#nxt = add(this.#iss, 1);
    this.#recoverPoint = this.#iss;
    this.#cc = newCubic(options.mss);
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
    return this.#queue.length === 0 && this.#board.isEmpty && (!this.#finQueued || this.#finAcked);
  }

  get smoothedRttMs(): number {
    return this.#rtt.srtt;
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
    const piece = this.#unread.shift();
    if (piece) {
      this.#unreadBytes -= piece.length;
      this.#afterRead();
      return piece;
    }
    return this.#peerFinished ? "end" : undefined;
  }

  /**
   * Nobody holds the connection any more: what was written is still delivered and the end sent, for at most a minute.
   * Data that was not read, or comes now, resets it, so that the peer does not take it for received.
   */
  close(): void {
    if (this.#state !== "open" || this.#unreadBytes > 0) return this.abort();
    this.#orphan = true;
    this.#goneAt = this.#now() + lingerMs;
    this.end();
    this.#maybeFinish();
    this.#arm();
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
    if (this.#rtoAt === undefined) return;
    this.#rtt.progressed();
    this.#rtoAt = this.#now();
    this.#arm();
  }

  receive(segment: Segment): void {
    switch (this.#state) {
      case "closed":
        return;
      case "syn-sent":
        return this.#onSynSent(segment);
      default:
        return this.#onSegment(segment);
    }
  }

  // --- handshake

  #sendSyn(): void {
    const reply = this.#state === "syn-received";
    const timestamps = { value: this.#tsNow(), echo: this.#tsRecent };
    const options: TcpOptions = {
      mss: this.#mss,
      ...(!reply || this.#useSack ? { sackPermitted: true } : {}),
      ...(!reply || this.#useTimestamps ? { timestamps } : {}),
      ...(!reply || this.#ourScale > 0 ? { windowScale } : {}),
    };
    this.#events.send({
      seq: this.#iss,
      ack: reply ? this.#rcvNxt : 0,
      flags: reply ? flag.syn | flag.ack : flag.syn,
      window: synWindow,
      options,
      data: Buffer.alloc(0),
    });
    if (reply) {
      this.#rightEdge = add(this.#rcvNxt, synWindow);
      this.#lastWindowField = synWindow >> this.#ourScale;
    }
    this.#rtoAt = this.#now() + this.#rtt.rto;
    this.#arm();
  }

  #negotiate(syn: Segment): void {
    const { options } = syn;
    this.#rcvNxt = add(syn.seq, 1);
    this.#useSack = options.sackPermitted === true;
    this.#useTimestamps = options.timestamps !== undefined;
    this.#tsRecent = options.timestamps?.value ?? 0;
    if (options.windowScale !== undefined) {
      this.#peerScale = options.windowScale;
      this.#ourScale = windowScale;
    }
    this.#sendMss = Math.min(this.#mss, Math.max(64, options.mss ?? 536));
    this.#cc = newCubic(this.#sendMss - (this.#useTimestamps ? 12 : 0));
    this.#setPeerWindow(syn.window, syn);
  }

  #setPeerWindow(window: number, segment: Segment): void {
    this.#peerWindow = window;
    this.#maxPeerWindow = Math.max(this.#maxPeerWindow, window);
    this.#windowSeq = segment.seq;
    this.#windowAck = segment.ack;
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
    if (!this.#synRepeated) this.#rtt.sample(this.#now() - this.#progressAt);
    this.#established();
    this.#sendAck();
    this.#pump();
  }

  #established(): void {
    this.#state = "open";
    this.#rtoAt = undefined;
    this.#rtt.progressed();
    this.#progressAt = this.#now();
    this.#idleAt = this.#now() + keepaliveIdleMs;
    this.#rightEdge = this.#rcvNxt;
    this.#advanceEdge();
    this.#arm();
    this.#events.onConnect();
  }

  // --- segments of an open connection

  #onSegment(segment: Segment): void {
    const { flags, seq } = segment;
    const length = segment.data.length + ((flags & flag.fin) !== 0 ? 1 : 0);
    if ((flags & flag.rst) !== 0) return this.#onReset(segment);
    if ((flags & flag.syn) !== 0) {
      // A repeated SYN means that our answer was lost; any other is an attack or a confused peer (RFC 5961 §4).
      if (this.#state === "syn-received" && add(seq, 1) === this.#rcvNxt) return this.#sendSyn();
      return this.#challenge();
    }
    if ((flags & flag.ack) === 0) return;
    const { timestamps } = segment.options;
    if (this.#useTimestamps) {
      if (!timestamps) return;
      if (before(timestamps.value, this.#tsRecent) && length > 0) return this.#duplicateAck();
      if (atOrBefore(seq, this.#rcvNxt) && !before(timestamps.value, this.#tsRecent)) {
        this.#tsRecent = timestamps.value;
      }
    }
    if (this.#state === "syn-received") {
      if (segment.ack !== this.#nxt) return;
      this.#una = segment.ack;
      if (!this.#synRepeated) this.#rtt.sample(this.#now() - this.#progressAt);
      this.#established();
    }
    if (this.#state === "time-wait") {
      if (length > 0) this.#sendAck();
      return;
    }
    this.#idleAt = this.#now() + keepaliveIdleMs;
    this.#keepalives = 0;
    // Answers to empty segments are limited, so that two confused peers cannot keep each other busy.
    if (!this.#inWindow(seq, length)) return length > 0 ? this.#duplicateAck() : this.#challenge();
    if (!this.#onAck(segment)) return;
    if (length > 0) this.#onData(segment);
    this.#maybeFinish();
    this.#arm();
  }

  #onReset(segment: Segment): void {
    if (segment.seq === this.#rcvNxt) {
      if (this.#state === "time-wait") return this.#gone();
      return this.#fail(new ConnectionError("ECONNRESET", "the peer reset the connection"));
    }
    if (this.#inWindow(segment.seq, 0)) this.#challenge();
  }

  /** Whether some of it lies where we expect data. What lies before is acknowledged again, which repairs lost ACKs. */
  #inWindow(seq: number, length: number): boolean {
    if (length === 0) return diff(seq, this.#rcvNxt) >= 0 && diff(this.#rightEdge, seq) >= 0;
    return before(this.#rcvNxt, add(seq, length)) && before(seq, this.#rightEdge);
  }

  #challenge(): void {
    const now = this.#now();
    if (now - this.#lastChallenge < challengeEveryMs) return;
    this.#lastChallenge = now;
    this.#sendAck();
  }

  /** False where the segment must be dropped. */
  #onAck(segment: Segment): boolean {
    const { ack } = segment;
    if (before(this.#nxt, ack) || diff(this.#una, ack) > Math.max(this.#maxPeerWindow, 65_535)) {
      this.#challenge();
      return false;
    }
    if (before(ack, this.#una)) return true;
    const window = segment.window << this.#peerScale;
    const opened = this.#updateWindow(window, segment);
    const now = this.#now();
    // Who answers probes of a closed window lives, however long it stays shut.
    if (this.#board.isEmpty) this.#progressAt = now;
    const advanced = diff(ack, this.#una);
    const limited = this.#windowLimited;
    const acked = this.#board.onAck(ack, this.#useSack ? (segment.options.sack ?? []) : [], now);
    if (acked.rtt !== undefined) this.#rtt.sample(acked.rtt);
    if (advanced > 0) {
      this.#una = ack;
      this.#rtt.progressed();
      this.#progressAt = now;
      if (this.#finSent && ack === this.#nxt) this.#finAcked = true;
      this.#rtoAt = this.#board.isEmpty ? undefined : now + this.#rtt.rto;
    }
    if (this.#inRecovery && atOrBefore(this.#recoverPoint, this.#una)) this.#inRecovery = false;
    if (!this.#inRecovery && limited && acked.bytes > 0) onAcked(this.#cc, acked.bytes, now, this.#rtt.srtt);
    if (acked.bytes > 0 || acked.newlySacked) this.#detectLosses();
    if (advanced > 0 || acked.newlySacked || opened) this.#pump();
    if (advanced > 0) this.#events.onWritable();
    return true;
  }

  #updateWindow(window: number, segment: Segment): boolean {
    const newer =
      before(this.#windowSeq, segment.seq) ||
      (this.#windowSeq === segment.seq && atOrBefore(this.#windowAck, segment.ack));
    if (!newer) return false;
    const opened = window > this.#peerWindow;
    this.#setPeerWindow(window, segment);
    return opened;
  }

  #detectLosses(): void {
    if (!this.#useSack && !this.#board.first()?.retransmitted) return;
    const { marked, again } = this.#board.detectLosses(this.#now(), this.#rtt.srtt, this.#inRecovery);
    this.#rackAt = again;
    if (!marked || this.#inRecovery || before(this.#una, this.#recoverPoint)) return;
    this.#inRecovery = true;
    this.#recoverPoint = this.#nxt;
    this.stats.recoveries++;
    onLoss(this.#cc);
  }

  #onData(segment: Segment): void {
    let { seq, data } = segment;
    const fin = (segment.flags & flag.fin) !== 0;
    if (this.#peerFinished) return this.#duplicateAck();
    if (this.#orphan && data.length > 0) return this.abort();
    if (before(seq, this.#rcvNxt)) {
      data = data.subarray(Math.min(data.length, diff(this.#rcvNxt, seq)));
      seq = this.#rcvNxt;
    }
    const room = diff(this.#rightEdge, seq);
    const cut = data.length > room;
    if (cut) data = data.subarray(0, room);
    if (seq !== this.#rcvNxt) {
      if (data.length > 0) this.#ahead.insert(seq, data);
      // A FIN ahead of its turn comes again with the retransmission.
      return this.#duplicateAck();
    }
    let urgent = false;
    if (data.length > 0) {
      this.#take(data);
      const more = this.#ahead.take(this.#rcvNxt);
      if (more) {
        for (const part of more.parts) this.#take(part);
        urgent = true;
      }
    }
    if (fin && !cut && add(segment.seq, segment.data.length) === this.#rcvNxt) {
      this.#rcvNxt = add(this.#rcvNxt, 1);
      this.#peerFinished = true;
      urgent = true;
    }
    this.#unacked += data.length;
    this.#events.onReadable();
    // Reading may have sent something that carried the acknowledgement.
    if (this.#unacked === 0 && !urgent) return;
    if (urgent || !this.#ahead.isEmpty || this.#received < quickAckBytes || this.#unacked >= 2 * 1000) {
      this.#sendAck();
    } else this.#ackAt ??= this.#now() + delayedAckMs;
  }

  #take(data: Buffer): void {
    this.#rcvNxt = add(this.#rcvNxt, data.length);
    this.#received += data.length;
    this.#unread.push(data);
    this.#unreadBytes += data.length;
  }

  #afterRead(): void {
    const free = receiveBuffer - this.#unreadBytes;
    const offered = diff(this.#rightEdge, this.#rcvNxt);
    // Tell of room only when it matters to a sender that may be waiting for it.
    if (offered < receiveBuffer / 2 && free - offered >= receiveBuffer / 4 && this.#state === "open") {
      this.#sendAck();
    }
  }

  #maybeFinish(): void {
    if (!this.#finAcked || !this.#peerFinished || this.#state !== "open") return;
    if (this.#closedSecond) {
      this.#tellClosed(undefined);
      return this.#gone();
    }
    this.#state = "time-wait";
    this.#rtoAt = undefined;
    this.#rackAt = undefined;
    this.#idleAt = undefined;
    this.#goneAt = this.#now() + timeWaitMs;
    this.#tellClosed(undefined);
  }

  // --- output

  #tsNow(): number {
    return Math.floor(this.#now()) >>> 0;
  }

  #advanceEdge(): void {
    const edge = add(this.#rcvNxt, Math.max(0, receiveBuffer - this.#unreadBytes));
    if (before(this.#rightEdge, edge)) this.#rightEdge = edge;
    const window = Math.max(0, diff(this.#rightEdge, this.#rcvNxt));
    // Rounded up, so that the edge never moves back.
    this.#lastWindowField = Math.min(65_535, Math.ceil(window / 2 ** this.#ourScale));
    this.#rightEdge = add(this.#rcvNxt, this.#lastWindowField << this.#ourScale);
  }

  #dataOptions(): TcpOptions {
    const timestamps = { value: this.#tsNow(), echo: this.#tsRecent };
    const sack =
      this.#useSack && !this.#ahead.isEmpty ? this.#ahead.sackBlocks(this.#useTimestamps ? 3 : 4) : [];
    return {
      ...(this.#useTimestamps ? { timestamps } : {}),
      ...(sack.length > 0 ? { sack } : {}),
    };
  }

  #emit(seq: number, flags: number, data: Buffer, options: TcpOptions): void {
    this.#unacked = 0;
    this.#ackAt = undefined;
    this.#events.send({ seq, ack: this.#rcvNxt, flags, window: this.#lastWindowField, options, data });
  }

  #sendAck(): void {
    this.#advanceEdge();
    this.#emit(this.#nxt, flag.ack, Buffer.alloc(0), this.#dataOptions());
  }

  #duplicateAck(): void {
    if (this.#unacked > 0) return this.#sendAck();
    this.#emit(this.#nxt, flag.ack, Buffer.alloc(0), this.#dataOptions());
  }

  #transmit(sent: Sent): void {
    const push = this.#queue.length === 0 && sent.data.length > 0 ? flag.psh : 0;
    this.#advanceEdge();
    this.#emit(sent.seq, flag.ack | push | (sent.fin ? flag.fin : 0), sent.data, this.#dataOptions());
    this.#rtoAt ??= this.#now() + this.#rtt.rto;
  }

  /** Sends what may be sent: lost segments first, then new data, then FIN. */
  #pump(): void {
    if (this.#state !== "open") return;
    const now = this.#now();
    while (this.#board.lostBytes > 0 && this.#board.pipe < this.#cc.cwnd) {
      const lost = this.#board.nextLost();
      if (!lost) break;
      this.#board.resent(lost, now);
      this.stats.retransmits++;
      this.#transmit(lost);
    }
    this.#windowLimited = this.#sendNew(now) || this.#board.pipe >= this.#cc.cwnd;
    if (this.#finQueued && !this.#finSent && this.#queue.length === 0) {
      this.#finSent = true;
      this.#closedSecond = this.#peerFinished;
      this.#send(Buffer.alloc(0), true, now);
    }
    // A closed window is probed by the same timer.
    if (this.#queue.length > 0 && this.#board.isEmpty) this.#rtoAt ??= now + this.#rtt.rto;
    this.#arm();
  }

  /** True when the congestion window was what stopped it. */
  #sendNew(now: number): boolean {
    const payload = this.#sendMss - optionsLength(this.#dataOptions());
    while (this.#queue.length > 0) {
      const congestion = this.#cc.cwnd - this.#board.pipe;
      if (congestion < Math.min(payload, this.#queue.length)) return true;
      const window = this.#peerWindow - diff(this.#nxt, this.#una);
      const size = Math.min(payload, this.#queue.length, window);
      // Small pieces of a nearly full window would make the receiver's window silly.
      if (size <= 0 || (size < payload && size < this.#queue.length && !this.#board.isEmpty)) return false;
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
    this.#board.push(sent);
    this.#transmit(sent);
  }

  // --- time

  #now(): number {
    return this.#clock.monotonic();
  }

  #arm(): void {
    let at = Infinity;
    for (const deadline of [this.#rtoAt, this.#ackAt, this.#rackAt, this.#idleAt, this.#goneAt]) {
      if (deadline !== undefined && deadline < at) at = deadline;
    }
    if (at >= this.#armedFor || this.#state === "closed") return;
    this.#armedFor = at;
    const ms = Math.max(0, at - this.#now());
    if (this.#timer) this.#timer.reset(ms);
    else this.#timer = this.#clock.timer(ms, () => this.#onTimer(), { tag: "tcp", unref: true });
  }

  #onTimer(): void {
    this.#armedFor = Infinity;
    const now = this.#now() + 0.5;
    const due = (at: number | undefined): boolean => at !== undefined && at <= now;
    if (due(this.#goneAt)) return this.#state === "open" ? this.abort() : this.#gone();
    if (due(this.#ackAt)) this.#sendAck();
    if (due(this.#rackAt)) {
      this.#rackAt = undefined;
      this.#detectLosses();
      this.#pump();
    }
    if (due(this.#rtoAt)) this.#onRto();
    if (due(this.#idleAt)) this.#onIdle();
    this.#arm();
  }

  #onRto(): void {
    const now = this.#now();
    const limit = this.#state === "open" ? giveUpMs : synGiveUpMs;
    if (now - this.#progressAt > limit) {
      return this.#fail(new ConnectionError("ETIMEDOUT", "the peer does not answer"));
    }
    this.#rtt.timedOut();
    this.#rtoAt = now + this.#rtt.rto;
    if (this.#state === "syn-sent" || this.#state === "syn-received") {
      this.#synRepeated = true;
      return this.#sendSyn();
    }
    if (this.#board.isEmpty) {
      if (this.#queue.length === 0) this.#rtoAt = undefined;
      else this.#probe();
      return;
    }
    this.stats.timeouts++;
    onTimeout(this.#cc, diff(this.#nxt, this.#una));
    this.#inRecovery = false;
    this.#recoverPoint = this.#nxt;
    this.#board.loseAll();
    this.#pump();
  }

  /** A segment that the peer must answer with its window: one byte before what it expects, empty. */
  #probe(): void {
    this.#emit(add(this.#una, -1), flag.ack, Buffer.alloc(0), this.#dataOptions());
  }

  #onIdle(): void {
    if (this.#keepalives >= keepaliveProbes) {
      return this.#fail(new ConnectionError("ETIMEDOUT", "the peer does not answer keepalives"));
    }
    this.#keepalives++;
    this.#idleAt = this.#now() + keepaliveEveryMs;
    this.#probe();
  }

  // --- end

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
    this.#timer?.stop();
    this.#tellClosed(new ConnectionError("ECONNABORTED", "the connection was forgotten"));
    this.#events.onGone();
  }
}
