/**
 * A TCP connection as a Duplex with half-close: ending the writer sends FIN; destroying it closes in the background as
 * an operating system does; destroying it with an error resets.
 */
import { Duplex } from "node:stream";
import type { TcpConnection } from "./connection.ts";
import { ConnectionError } from "./types.ts";

/** More than this waits unsent only in the writer's own buffer, which tells it to stop. */
const queueLimit = 512 << 10;

export interface StreamAddresses {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export class TcpStream extends Duplex {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #connection: TcpConnection;
  #waiting: ((error?: Error | null) => void) | undefined;
  #finishing: ((error?: Error | null) => void) | undefined;
  #wantsData = false;
  #over = false;

  constructor(connection: TcpConnection, addresses: StreamAddresses) {
    super({ allowHalfOpen: true, readableHighWaterMark: 256 << 10, writableHighWaterMark: 256 << 10 });
    this.#connection = connection;
    this.localAddress = addresses.localAddress;
    this.localPort = addresses.localPort;
    this.remoteAddress = addresses.remoteAddress;
    this.remotePort = addresses.remotePort;
  }

  /** Called by the stack. */
  handleReadable(): void {
    if (this.#wantsData) this.#fill();
  }

  handleWritable(): void {
    if (this.#waiting && this.#connection.queued < queueLimit) {
      const done = this.#waiting;
      this.#waiting = undefined;
      done();
    }
    if (this.#finishing && this.#connection.flushed) {
      const done = this.#finishing;
      this.#finishing = undefined;
      done();
    }
  }

  handleClose(error: Error | undefined): void {
    this.#over = true;
    if (error) {
      this.destroy(error);
      return;
    }
    this.handleWritable();
  }

  override _read(): void {
    this.#wantsData = true;
    this.#fill();
  }

  #fill(): void {
    for (;;) {
      const piece = this.#connection.read();
      if (piece === undefined) return;
      if (piece === "end") {
        this.#wantsData = false;
        this.push(null);
        return;
      }
      if (!this.push(piece)) {
        this.#wantsData = false;
        return;
      }
    }
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // The writer may use its buffer again once the write is done, and a segment may have to be sent again.
    this.#connection.write(Buffer.from(data));
    this.#afterWrite(done);
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#connection.write(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    this.#afterWrite(done);
  }

  #afterWrite(done: (error?: Error | null) => void): void {
    if (this.#connection.queued < queueLimit) done();
    else this.#waiting = done;
  }

  /** Done when the peer has everything, so that whoever waits for "finish" may close the network. */
  override _final(done: (error?: Error | null) => void): void {
    this.#finishing = done;
    this.#connection.end();
    this.handleWritable();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#over) {
      this.#over = true;
      if (error) this.#connection.abort();
      else this.#connection.close();
    }
    const pending = error ?? new ConnectionError("ECONNABORTED", "the connection was closed");
    this.#waiting?.(pending);
    this.#finishing?.(pending);
    this.#waiting = undefined;
    this.#finishing = undefined;
    done(error);
  }
}
