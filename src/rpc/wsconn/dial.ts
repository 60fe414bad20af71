/** Client side of a WebSocket: dial with headers, no redirects, no compression, bounds on every size. */
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";

/** The server answered the upgrade with something else than 101. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  /** HTTP status. */
  readonly status: number;
  /** Up to 64 KiB of the answer. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(
      `the server refused the websocket with status ${status}${body === "" ? "" : `: ${body.slice(0, 300)}`}`,
    );
    this.status = status;
    this.body = body;
  }
}

export interface DialOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Largest message that is accepted. @default 8 MiB */
  readonly maxPayload?: number;
  /** @default 15_000 */
  readonly handshakeTimeoutMs?: number;
  readonly ca?: string | Buffer;
  /** Subprotocol to ask for. */
  readonly protocol?: string;
}

export const defaultMaxPayload = 8 * 1024 * 1024;
const maxRefusal = 64 * 1024;

/**
 * Resolves with the open socket, paused so that no message is lost: `wsDuplex` resumes it, others attach their
 * listeners and call `resume()`. `http:` and `https:` addresses are taken as their WebSocket twins.
 */
export function dialWebSocket(url: string | URL, options: DialOptions = {}): Promise<WebSocket> {
  const { signal, ca } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const ws = new WebSocket(url, options.protocol === undefined ? [] : [options.protocol], {
      headers: { ...options.headers },
      perMessageDeflate: false,
      maxPayload: options.maxPayload ?? defaultMaxPayload,
      handshakeTimeout: options.handshakeTimeoutMs ?? 15_000,
      followRedirects: false,
      ...(ca === undefined ? {} : { ca }),
    });
    const onAbort = () => {
      reject(signal?.reason);
      ws.terminate();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const settled = () => signal?.removeEventListener("abort", onAbort);
    ws.on("error", (error) => (settled(), reject(error)));
    ws.once("open", () => {
      settled();
      ws.pause();
      resolve(ws);
    });
    ws.once("unexpected-response", (_request, response) => {
      settled();
      void readRefusal(response).then((body) => {
        reject(new HandshakeError(response.statusCode ?? 0, body));
        ws.terminate();
      });
    });
  });
}

async function readRefusal(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response) {
      const bytes = Buffer.from(part);
      parts.push(bytes);
      size += bytes.length;
      if (size > maxRefusal) break;
    }
  } catch {
    // What came so far says enough.
  }
  return Buffer.concat(parts).subarray(0, maxRefusal).toString("utf8");
}
