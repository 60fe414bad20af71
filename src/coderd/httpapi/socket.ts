/**
 * One accepted WebSocket, as handlers see it: messages both ways with backpressure, or a byte stream. Made by
 * websocket.ts only, which also pings, and closes it when the handler ends.
 */
import { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";

export interface Message {
  readonly data: Buffer;
  readonly binary: boolean;
}

/** Thrown by a handler to choose the close code; the reason is cut at 123 bytes. */
export class CloseSocket extends Error {
  readonly code: number;
  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** Reading stops at this many waiting messages until the handler catches up. */
const maxWaiting = 16;
/** Largest message of a byte stream that we send. */
const maxChunk = 64 * 1024;

export const toBuffer = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);

export class MessageSocket {
  readonly #socket: WebSocket;
  readonly #waiting: Message[] = [];
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data, binary) => {
      this.#waiting.push({ data: toBuffer(data), binary });
      if (this.#waiting.length >= maxWaiting) socket.pause();
      this.#wake();
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Resolves when the message has left for the kernel; rejects when the peer is gone. */
  send(data: string | Uint8Array): Promise<void> {
    return sendMessage(this.#socket, data);
  }

  /** Messages until the peer closes. One consumer. */
  async *messages(): AsyncGenerator<Message> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        if (this.#socket.isPaused && this.#waiting.length < maxWaiting / 2) this.#socket.resume();
        yield next;
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(code: number, reason = ""): void {
    closeSocket(this.#socket, code, reason);
  }
}

export function sendMessage(socket: WebSocket, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(data, { binary: typeof data !== "string" }, (error) => (error ? reject(error) : resolve()));
  });
}

/** Closes with a reason of at most 123 bytes, cut at a character's border. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  let cut = Buffer.from(reason).subarray(0, 123);
  while (Buffer.from(cut.toString()).length > 123) cut = cut.subarray(0, -1);
  socket.close(code, cut.toString().replace(/\uFFFD$/, ""));
}

/** Bytes over binary messages; message borders mean nothing. Ending it closes with 1000, destroying it with 1011. */
export function socketStream(socket: WebSocket): Duplex {
  const stream = new Duplex({
    read: () => {
      if (socket.isPaused) socket.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      // Only the last piece waits: messages of one socket leave in order.
      let from = 0;
      for (; chunk.length - from > maxChunk; from += maxChunk) {
        socket.send(chunk.subarray(from, from + maxChunk), { binary: true });
      }
      socket.send(chunk.subarray(from), { binary: true }, (error) => done(error));
    },
    final(done) {
      closeSocket(socket, 1000, "");
      done();
    },
    destroy(error, done) {
      closeSocket(socket, error ? 1011 : 1000, error?.message ?? "");
      done(error);
    },
  });
  socket.on("message", (data) => {
    if (!stream.push(toBuffer(data))) socket.pause();
  });
  socket.on("close", () => {
    if (!stream.readableEnded) stream.push(null);
    stream.end();
  });
  socket.on("error", (error) => stream.destroy(error));
  return stream;
}
