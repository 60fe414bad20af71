/**
 * WebSockets of the client: one code for browsers, which send their cookie, and for Node, where the program passes a
 * dialer that can send headers. No token ever goes into a URL.
 */

/** What `WebSocket` of browsers, of Node and of the `ws` package have in common. */
export interface SocketLike {
  binaryType: string;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  addEventListener(type: "error", listener: () => void): void;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** Opens a socket; rejects with a `ClientError` when the server answers something else than 101. */
export type Dial = (
  url: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal | undefined },
) => Promise<SocketLike>;

/** The stream ended otherwise than with 1000. */
export class SocketClosed extends Error {
  override readonly name = "SocketClosed";
  readonly code: number;
  constructor(code: number, reason: string) {
    super(reason === "" ? `the server closed the stream with code ${code}` : reason);
    this.code = code;
  }
}

/**
 * Text of each message, until the server closes with 1000; any other end throws `SocketClosed`. Aborting the signal
 * closes the socket and ends without error.
 */
export async function* messages(socket: SocketLike, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const waiting: string[] = [];
  let end: { readonly code: number; readonly reason: string } | undefined;
  let wake: () => void = () => {};
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    waiting.push(
      typeof data === "string" ? data : data instanceof ArrayBuffer ? new TextDecoder().decode(data) : "",
    );
    wake();
  });
  socket.addEventListener("close", ({ code, reason }) => {
    end = { code, reason };
    wake();
  });
  socket.addEventListener("error", () => {});
  const stop = (): void => socket.close(1000);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else if (end !== undefined) {
        if (end.code === 1000 || signal?.aborted) return;
        throw new SocketClosed(end.code, end.reason);
      } else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    socket.close(1000);
  }
}

/** The dialer of browsers: no headers, the cookie says who it is. */
export const browserDial: Dial = (url) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.addEventListener("open", () => resolve(socket), { once: true });
    socket.addEventListener("error", () =>
      reject(new SocketClosed(1006, `could not open ${url.split("?")[0]}`)),
    );
  });
