/** WebSockets of the API that carry JSON from the server: one value a message, until the server closes with 1000. */
import type { Session } from "./session.ts";

/** Most bytes of one message; stock servers send at most 32 KiB, ours too. */
const maxPayload = 4 * 1024 * 1024;

/** Yields each message's JSON. Ends at a normal close; throws when the connection breaks, with what is known. */
export async function* followJson(
  session: Session,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  const { WebSocket } = await import("ws");
  const url = new URL(path, session.client.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const token = session.client.token;
  const headers = { ...session.headers, ...(token === undefined ? {} : { "Coder-Session-Token": token }) };
  const socket = new WebSocket(url, {
    headers,
    maxPayload,
    perMessageDeflate: false,
    followRedirects: false,
  });
  const waiting: unknown[] = [];
  let ended: Error | true | undefined;
  let wake: () => void = () => {};
  socket.on("message", (data: Buffer) => {
    try {
      waiting.push(JSON.parse(data.toString("utf8")));
      // The reader may be slow (a terminal): hold the sender back.
      if (waiting.length > 1000) socket.pause();
    } catch (error) {
      ended = new Error(`${url.pathname} sent a message that is not JSON`, { cause: error });
      socket.terminate();
    }
    wake();
  });
  socket.on("unexpected-response", (_request, response) => {
    ended ??= new Error(`${url.pathname} answered ${response.statusCode}`);
    response.resume();
    socket.terminate();
    wake();
  });
  socket.on("error", (error) => {
    ended ??= error;
    wake();
  });
  socket.on("close", (code, reason) => {
    ended ??=
      code === 1000 ? true : new Error(`${url.pathname} ended with ${code} ${reason.toString("utf8")}`);
    wake();
  });
  const onAbort = (): void => {
    ended ??= signal.reason instanceof Error ? signal.reason : new Error("aborted");
    socket.terminate();
    wake();
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      if (waiting.length > 0) {
        yield waiting.shift();
        if (socket.isPaused && waiting.length < 100) socket.resume();
      } else if (ended !== undefined) {
        if (ended === true) return;
        throw ended;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.terminate();
  }
}
