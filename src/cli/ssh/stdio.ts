/** `ssh --stdio`: bytes between standard input and output and the workspace's ssh server. */
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Invocation } from "#serpent/command.ts";

/** Nothing else goes to standard output. The end of input is passed on; the workspace closes. */
export async function passBytes(inv: Invocation, stream: Duplex, signal: AbortSignal): Promise<void> {
  const stop = (): void => void stream.destroy();
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const up = pipeline(inv.stdin, stream).catch(() => {});
  await pipeline(stream, inv.stdout, { end: false }).catch((error: unknown) => {
    if (!signal.aborted && !isEarlyClose(error)) throw error;
  });
  signal.removeEventListener("abort", stop);
  inv.stdin.unpipe?.(stream);
  inv.stdin.destroy();
  await up;
}

const isEarlyClose = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
