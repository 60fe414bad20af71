/**
 * A WebSocket as a byte stream, either role (spec network §3.3): binary messages whose borders mean nothing. yamux
 * runs on top. Messages are cut at 64 KiB, because stock daemons refuse more than 256 KiB in one.
 *
 * Backpressure goes both ways: a slow reader pauses the socket, a write is done when the socket has taken it. A normal
 * close by the peer (1000, 1001) is the end of the stream, any other an error. Ending the writer closes the socket.
 */
import { Duplex } from "node:stream";
import { WebSocket } from "ws";

const maxMessage = 64 * 1024;
const highWaterMark = 256 * 1024;

/** The WebSocket was closed with a code other than 1000 and 1001. */
export class WebSocketClosedError extends Error {
  override readonly name = "WebSocketClosedError";
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    super(`the websocket was closed with status ${code}${reason === "" ? "" : `: ${reason}`}`);
    this.code = code;
    this.reason = reason;
  }
}

/** Call it when the socket is made, or while it is paused: messages that come before are lost. */
export function wsDuplex(ws: WebSocket): Duplex {
  return new WebSocketDuplex(ws);
}

class WebSocketDuplex extends Duplex {
  readonly #ws: WebSocket;

  constructor(ws: WebSocket) {
    super({ readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark });
    this.#ws = ws;
    ws.binaryType = "nodebuffer";
    ws.on("message", (data: unknown, isBinary: boolean) => this.#onMessage(data, isBinary));
    ws.once("close", (code: number, reason: Buffer) => this.#onClose(code, reason.toString("utf8")));
    ws.on("error", (error) => this.destroy(error));
  }

  #onMessage(data: unknown, isBinary: boolean): void {
    if (!isBinary || !Buffer.isBuffer(data)) {
      this.#ws.close(1003, "only binary messages are understood");
      this.destroy(new WebSocketClosedError(1003, "received a text message"));
      return;
    }
    // A destroyed stream takes nothing: pausing for it would leave the end of the connection unread.
    if (data.length > 0 && !this.push(data) && !this.destroyed) this.#ws.pause();
  }

  #onClose(code: number, reason: string): void {
    // 1005: a close frame without a status.
    if (code !== 1000 && code !== 1001 && code !== 1005) {
      this.destroy(new WebSocketClosedError(code, reason));
      return;
    }
    this.push(null);
    this.end();
  }

  override _read(): void {
    this.#ws.resume();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    for (let at = 0; at < data.length; at += maxMessage) {
      const last = at + maxMessage >= data.length;
      this.#ws.send(
        data.subarray(at, at + maxMessage),
        { binary: true },
        last ? (error) => done(error) : undefined,
      );
    }
    if (data.length === 0) done();
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ws.close(1000);
    this.#ws.resume();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.close(error ? 1011 : 1000, closeReason(error));
    this.#ws.resume();
    done(error);
  }
}

/** A close frame has room for 123 bytes of reason. */
function closeReason(error: Error | null): string {
  return error
    ? Buffer.from(error.message, "utf8")
        .subarray(0, 120)
        .toString("utf8")
        .replace(/\uFFFD$/u, "")
    : "";
}
