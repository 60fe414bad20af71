/** Sockets that programs of the workspace open to us, tied to channels that we open to the client. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface OfferOptions {
  /** Aborts when the connection is gone. */
  readonly gone: AbortSignal;
  /** Whether one more channel may open; each admitted one is released once. */
  readonly admit: () => boolean;
  readonly release: () => void;
}

/** Asks the client for a channel; `undefined` with an error when it refuses. */
export type OpenChannel = (opened: (error: Error | undefined, channel: Duplex) => void) => void;

export function offer(socket: Socket, open: OpenChannel, options: OfferOptions): void {
  const { admit, release, gone } = options;
  socket.on("error", () => socket.destroy());
  if (!admit()) {
    socket.destroy();
    return;
  }
  socket.setNoDelay(true);
  open((error, channel) => {
    if (error) {
      release();
      socket.destroy();
      return;
    }
    join(socket, channel, { gone, release });
  });
}

/** Ties a socket and a channel together, both ways, each side's end passed on. */
export function join(socket: Socket, channel: Duplex, ends: Pick<OfferOptions, "gone" | "release">): void {
  let done = false;
  const end = (): void => {
    if (done) return;
    done = true;
    ends.release();
    ends.gone.removeEventListener("abort", end);
    socket.destroy();
    channel.destroy();
  };
  ends.gone.addEventListener("abort", end, { once: true });
  socket.on("error", end);
  socket.once("close", end);
  channel.once("close", end);
  channel.on("error", end);
  socket.pipe(channel);
  channel.pipe(socket);
}
