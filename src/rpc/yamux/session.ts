/**
 * A yamux session (spec network §3.4): many streams over one Duplex, in either role. Used for every long connection
 * between server, agents, clients and provisioner daemons, below DRPC.
 *
 * Promises: whatever the peer sends, memory stays bounded (256 KiB a stream, `maxStreams` streams, about 1 MiB of
 * replies); a peer that breaks the protocol ends the session; a silent one does within 40 s; all streams end with it.
 */
import type { Duplex } from "node:stream";
import { realClock, type Clock, type Timer } from "#quartz/clock.ts";
import {
  encodeHeader,
  flag,
  frameType,
  goAwayCode,
  FrameDecoder,
  YamuxError,
  type FrameHeader,
  type FrameType,
} from "./frame.ts";
import { Pings } from "./pings.ts";
import { YamuxStream, type StreamLink } from "./stream.ts";

export interface YamuxOptions {
  /** Clients open streams with odd ids, servers with even ones. */
  readonly role: "client" | "server";
  readonly clock?: Clock;
  /** Streams that the peer may have open at once; one more is reset. @default 1024 */
  readonly maxStreams?: number;
  /** Streams that may wait to be taken by `incoming()`; one more is reset. @default 256 */
  readonly backlog?: number;
  /** Time between two pings that prove that the peer lives; 0 for none. @default 30_000 */
  readonly keepAliveMs?: number;
}

const writeTimeoutMs = 10_000;
const openTimeoutMs = 75_000;
const halfClosedTimeoutMs = 5 * 60_000;
const lastWordsMs = 1000;
const maxUnreadReplies = 1024 * 1024;
const maxUnaccepted = 256;
/** Bodies up to this size are copied behind their header, so that they make one write. */
const joinBelow = 4096;

export class YamuxSession implements AsyncDisposable {
  readonly #transport: Duplex;
  readonly #role: "client" | "server";
  readonly #maxStreams: number;
  readonly #maxBacklog: number;
  readonly #clock: Clock;
  readonly #decoder = new FrameDecoder();
  readonly #streams = new Map<number, YamuxStream>();
  /** Streams of ours that the peer has not accepted, and those that we have ended and it has not. */
  readonly #opening = new Map<number, Timer>();
  readonly #halfClosed = new Map<number, Timer>();
  readonly #pings: Pings;
  readonly #ended = new AbortController();
  readonly #link: StreamLink;
  #backlog: YamuxStream[] = [];
  #wakeIncoming: (() => void) | undefined;
  #nextId: number;
  #inbound = 0;
  #writeTimer: Timer | undefined;
  #remoteGone = false;
  #localGone = false;

  /** Takes over `transport`; it is destroyed with the session. */
  static start(transport: Duplex, options: YamuxOptions): YamuxSession {
    const session = new YamuxSession(transport, options);
    session.#listen();
    void session.#keepAlive(options.keepAliveMs ?? 30_000);
    return session;
  }

  private constructor(transport: Duplex, options: YamuxOptions) {
    this.#transport = transport;
    this.#role = options.role;
    this.#maxStreams = options.maxStreams ?? 1024;
    this.#maxBacklog = options.backlog ?? 256;
    this.#clock = options.clock ?? realClock;
    this.#nextId = options.role === "client" ? 1 : 2;
    this.#pings = new Pings(this.#clock, (error) => this.#end(error));
    this.#link = {
      canSend: () => this.#writeTimer === undefined && !this.signal.aborted,
      sendData: (id, data) => this.#sendData(id, data),
      sendWindow: (id, flags, delta) => this.#send(frameType.windowUpdate, flags, id, delta),
      localEnd: (id) => this.#awaitRemoteEnd(id),
      forget: (id) => this.#forget(id),
    };
  }

  /** Aborts when the session is over; its reason is the error that says why. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Number of streams that are open, in both directions. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Opens a stream; writing may begin at once. Throws when the session is over or the peer accepts none. */
  open(): Duplex {
    this.signal.throwIfAborted();
    if (this.#remoteGone || this.#localGone) {
      throw new YamuxError("closed", "the session takes no new streams");
    }
    if (this.#opening.size >= maxUnaccepted) {
      throw new YamuxError("limit", "too many streams wait to be accepted");
    }
    const id = this.#nextId;
    if (id > 0xffff_fffd) throw new YamuxError("limit", "the session has used up its stream ids");
    this.#nextId += 2;
    const stream = this.#adopt(id);
    const late = () => this.#end(new YamuxError("timeout", "a stream was not accepted in time"));
    this.#opening.set(id, this.#clock.timer(openTimeoutMs, late, { tag: "yamux-open", unref: true }));
    this.#send(frameType.windowUpdate, flag.syn, id, 0);
    return stream;
  }

  /** The streams that the peer opens, in order; taking one accepts it. Ends with the session. For one reader. */
  async *incoming(): AsyncGenerator<Duplex, void> {
    while (!this.signal.aborted) {
      const stream = this.#backlog.shift();
      if (stream?.destroyed) continue;
      if (stream) {
        this.#send(frameType.windowUpdate, flag.ack, stream.id, 0);
        yield stream;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wakeIncoming = resolve;
      });
    }
  }

  /** Resolves with the round trip in milliseconds. An unanswered ping ends the session after 10 s. */
  async ping(): Promise<number> {
    this.signal.throwIfAborted();
    return this.#pings.start((value) => this.#send(frameType.ping, flag.syn, 0, value));
  }

  /** Tells the peer that no new streams are welcome; open ones go on. */
  goAway(): void {
    this.#localGone = true;
    this.#send(frameType.goAway, 0, 0, goAwayCode.normal);
  }

  /** Says good-bye and ends all streams and the transport. */
  close(): void {
    if (this.signal.aborted) return;
    this.goAway();
    this.#end(new YamuxError("closed", "the session was closed"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #listen(): void {
    const transport = this.#transport;
    transport.on("data", (chunk: Buffer) => this.#receive(chunk));
    transport.on("drain", () => this.#drained());
    transport.once("end", () => this.#end(new YamuxError("closed", "the peer closed the connection")));
    transport.once("close", () => this.#end(new YamuxError("closed", "the connection was closed")));
    transport.on("error", (cause) => {
      this.#end(new YamuxError("transport", `the connection broke: ${cause.message}`, { cause }));
    });
  }

  async #keepAlive(everyMs: number): Promise<void> {
    if (everyMs === 0) return;
    const wait = { signal: this.signal, tag: "yamux-keepalive", unref: true };
    for await (const _ of this.#clock.ticks(everyMs, wait)) {
      // A failed ping has ended the session, and so this loop.
      await this.ping().catch(() => {});
    }
  }

  #receive(chunk: Buffer): void {
    try {
      for (const event of this.#decoder.push(chunk)) {
        if (this.signal.aborted) return;
        if (event.kind === "header") this.#onHeader(event.header);
        else this.#streams.get(event.stream)?.deliver(event.data);
      }
    } catch (error) {
      return this.#end(error instanceof Error ? error : new YamuxError("protocol", String(error)));
    }
    if (this.#transport.writableLength > maxUnreadReplies) this.#transport.pause();
  }

  #onHeader(header: FrameHeader): void {
    switch (header.type) {
      case frameType.ping:
        if ((header.flags & flag.syn) !== 0) this.#send(frameType.ping, flag.ack, 0, header.length);
        else this.#pings.answered(header.length);
        return;
      case frameType.goAway:
        if (header.length !== goAwayCode.normal) {
          throw new YamuxError("closed", `the peer ended the session with code ${header.length}`);
        }
        this.#remoteGone = true;
        return;
      case frameType.data:
      case frameType.windowUpdate:
        return this.#onStreamFrame(header);
    }
  }

  #onStreamFrame(header: FrameHeader): void {
    const { stream: id, flags, length } = header;
    if ((flags & flag.syn) !== 0) this.#onOpen(id);
    const stream = this.#streams.get(id);
    if (!stream) return;
    if ((flags & flag.ack) !== 0) stopTimer(this.#opening, id);
    if (header.type === frameType.windowUpdate) {
      if (!stream.credit(length)) this.#violation("a window grew beyond 32 bits");
    } else if (!stream.announce(length)) {
      this.#violation(`stream ${id} received ${length} bytes, ${stream.receiveWindow} were allowed`);
    }
    if ((flags & flag.rst) !== 0) return stream.fail(new YamuxError("reset", "the peer reset the stream"));
    if ((flags & flag.fin) !== 0) stream.remoteEnd();
  }

  #onOpen(id: number): void {
    if (this.#streams.has(id)) this.#violation(`stream ${id} was opened twice`);
    const ours = this.#isOurs(id);
    if (id === 0 || ours) this.#violation(`the peer may not open stream ${id}`);
    const full = this.#inbound >= this.#maxStreams || this.#backlog.length >= this.#maxBacklog;
    if (full || this.#localGone) return this.#send(frameType.windowUpdate, flag.rst, id, 0);
    this.#inbound++;
    this.#backlog.push(this.#adopt(id));
    this.#wakeIncoming?.();
  }

  #isOurs(id: number): boolean {
    return id % 2 === (this.#role === "client" ? 1 : 0);
  }

  #violation(message: string): never {
    this.#send(frameType.goAway, 0, 0, goAwayCode.protocolError);
    throw new YamuxError("protocol", message);
  }

  #adopt(id: number): YamuxStream {
    const stream = new YamuxStream(id, this.#link);
    this.#streams.set(id, stream);
    return stream;
  }

  #awaitRemoteEnd(id: number): void {
    const late = () =>
      this.#streams.get(id)?.destroy(new YamuxError("timeout", "the peer did not end the stream"));
    this.#halfClosed.set(
      id,
      this.#clock.timer(halfClosedTimeoutMs, late, { tag: "yamux-close", unref: true }),
    );
  }

  #forget(id: number): void {
    if (!this.#streams.delete(id)) return;
    stopTimer(this.#opening, id);
    stopTimer(this.#halfClosed, id);
    if (!this.#isOurs(id)) this.#inbound--;
    const waiting = this.#backlog.findIndex((stream) => stream.id === id);
    if (waiting >= 0 && this.#backlog[waiting]?.destroyed) this.#backlog.splice(waiting, 1);
  }

  #send(type: FrameType, flags: number, stream: number, length: number, body?: Buffer): void {
    if (this.signal.aborted) return;
    const header = encodeHeader({ type, flags, stream, length });
    const joined = body !== undefined && body.length <= joinBelow;
    let room = this.#transport.write(joined ? Buffer.concat([header, body]) : header);
    if (body && !joined) room = this.#transport.write(body);
    if (room || this.#writeTimer) return;
    const late = () => this.#end(new YamuxError("timeout", "the connection took no bytes for too long"));
    this.#writeTimer = this.#clock.timer(writeTimeoutMs, late, { tag: "yamux-write", unref: true });
  }

  /** Who has sent goes to the end of the line, so that no stream starves the others. */
  #sendData(id: number, data: Buffer): void {
    this.#send(frameType.data, 0, id, data.length, data);
    const stream = this.#streams.get(id);
    if (stream && this.#streams.delete(id)) this.#streams.set(id, stream);
  }

  #drained(): void {
    this.#writeTimer?.stop();
    this.#writeTimer = undefined;
    this.#transport.resume();
    for (const stream of this.#streams.values()) {
      if (this.#writeTimer) return;
      stream.resumeWrites();
    }
  }

  #end(error: Error): void {
    if (this.signal.aborted) return;
    this.#ended.abort(error);
    this.#writeTimer?.stop();
    for (const stream of this.#streams.values()) stream.fail(error);
    this.#pings.failAll(error);
    this.#backlog = [];
    this.#wakeIncoming?.();
    // A last frame (go-away) may still be on its way out; it gets a moment.
    const giveUp = this.#clock.timer(lastWordsMs, () => this.#transport.destroy(), {
      tag: "yamux-end",
      unref: true,
    });
    this.#transport.once("close", () => giveUp.stop());
    this.#transport.end(() => this.#transport.destroy());
    this.#transport.resume();
  }
}

function stopTimer(timers: Map<number, Timer>, id: number): void {
  timers.get(id)?.stop();
  timers.delete(id);
}
