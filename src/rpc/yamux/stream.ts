/**
 * One yamux stream as a Duplex. It owns the two windows of flow control: what the peer may still send to us, and what
 * we may still send to it. The session gives it frames and takes its frames.
 *
 * Writing waits for the peer's window and for the transport; at most one write is held back, the rest stays in the
 * writer. Received bytes are bounded by the window (256 KiB), and credit goes back only for bytes that were read.
 */
import { Duplex } from "node:stream";
import { flag, YamuxError } from "./frame.ts";

export const initialWindow = 256 * 1024;
const maxWindow = 2 ** 32 - 1;

/** What a stream asks of its session. */
export interface StreamLink {
  /** True if data may be handed to the transport now; else `resumeWrites()` is called when it may. */
  canSend(): boolean;
  sendData(id: number, data: Buffer): void;
  sendWindow(id: number, flags: number, delta: number): void;
  /** Half-closed by us: the peer must follow within a time. */
  localEnd(id: number): void;
  /** The stream needs no frames any more. */
  forget(id: number): void;
}

export class YamuxStream extends Duplex {
  readonly id: number;
  readonly #link: StreamLink;
  #sendWindow = initialWindow;
  #receiveWindow = initialWindow;
  #held: { data: Buffer; done: (error?: Error) => void } | undefined;
  #finSent = false;
  #finReceived = false;
  #gone = false;

  constructor(id: number, link: StreamLink) {
    super({ readableHighWaterMark: initialWindow, writableHighWaterMark: 64 * 1024, allowHalfOpen: true });
    this.id = id;
    this.#link = link;
    // A peer may reset any stream at any time: without a listener that would end the process.
    this.on("error", () => {});
  }

  /** Bytes that the peer may still send. */
  get receiveWindow(): number {
    return this.#receiveWindow;
  }

  /** A data frame's header announces `length` bytes. False if that is more than the peer may send. */
  announce(length: number): boolean {
    return !this.#finReceived && length <= this.#receiveWindow;
  }

  /** A piece of an announced body. Bytes for a stream that we destroyed are dropped. */
  deliver(data: Buffer): void {
    this.#receiveWindow -= data.length;
    if (this.destroyed) return;
    this.push(data);
    this.#giveCredit();
  }

  /** The peer grants `delta` more bytes. False if the sum leaves 32 bits. */
  credit(delta: number): boolean {
    this.#sendWindow += delta;
    if (this.#sendWindow > maxWindow) return false;
    this.resumeWrites();
    return true;
  }

  /** The peer sends no more. */
  remoteEnd(): void {
    if (this.#finReceived) return;
    this.#finReceived = true;
    if (!this.destroyed) this.push(null);
    this.#forgetIfDone();
  }

  /** The peer reset the stream, or the session ended: nothing is sent any more. */
  fail(error: Error): void {
    this.#gone = true;
    this.#link.forget(this.id);
    this.destroy(error);
  }

  /** The transport or the window has room again. */
  resumeWrites(): void {
    while (this.#held && this.#sendWindow > 0 && this.#link.canSend()) {
      const { data, done } = this.#held;
      const part = data.subarray(0, this.#sendWindow);
      this.#sendWindow -= part.length;
      this.#link.sendData(this.id, part);
      if (part.length === data.length) {
        this.#held = undefined;
        done();
      } else {
        this.#held.data = data.subarray(part.length);
      }
    }
  }

  override read(size?: number): unknown {
    const data: unknown = super.read(size);
    this.#giveCredit();
    return data;
  }

  override _read(): void {}

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (data.length === 0) return done();
    this.#held = { data, done };
    this.resumeWrites();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finSent = true;
    if (!this.#gone) {
      this.#link.sendWindow(this.id, flag.fin, 0);
      if (!this.#finReceived) this.#link.localEnd(this.id);
    }
    this.#forgetIfDone();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#gone && !(this.#finSent && this.#finReceived)) {
      this.#gone = true;
      this.#link.sendWindow(this.id, flag.rst, 0);
      this.#link.forget(this.id);
    }
    const held = this.#held;
    this.#held = undefined;
    held?.done(error ?? new YamuxError("closed", "the stream was destroyed while a write waited"));
    done(error);
  }

  #giveCredit(): void {
    if (this.#gone || this.#finReceived) return;
    const delta = initialWindow - this.readableLength - this.#receiveWindow;
    if (delta < initialWindow / 2) return;
    this.#receiveWindow += delta;
    this.#link.sendWindow(this.id, 0, delta);
  }

  #forgetIfDone(): void {
    if (this.#gone || !this.#finSent || !this.#finReceived) return;
    this.#gone = true;
    this.#link.forget(this.id);
  }
}
