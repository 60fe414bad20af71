/**
 * Output into ssh channels with backpressure from both below and above: a channel's window (kept by ssh2) and the
 * transport under it, which ssh2 does not look at. Without the second, a peer that announces huge windows and reads
 * slowly makes us hold everything in memory.
 */
import type { Readable, Writable } from "node:stream";

/** Copies until `source` ends or `closed` resolves; the rest of a source whose channel is gone is destroyed. */
export async function pump(
  source: Readable,
  sink: Writable,
  link: { readonly transport: Writable; readonly closed: AbortSignal },
): Promise<void> {
  const { transport, closed } = link;
  const stop = (): void => void source.destroy();
  closed.addEventListener("abort", stop, { once: true });
  try {
    if (closed.aborted) stop();
    for await (const chunk of source) {
      if (closed.aborted) return;
      await write(sink, Buffer.from(chunk), closed);
      if (transport.writableNeedDrain) await event(transport, "drain", closed);
    }
  } catch (error) {
    // Destroying a stream that is being read looks like an error to its reader.
    if (!closed.aborted) throw error;
  } finally {
    closed.removeEventListener("abort", stop);
  }
}

/** Resolves when the sink has taken the bytes; ssh2 never calls back for a channel that is closed. */
export function write(sink: Writable, bytes: Buffer | string, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      closed.removeEventListener("abort", done);
      resolve();
    };
    if (closed.aborted) return done();
    closed.addEventListener("abort", done, { once: true });
    sink.write(bytes, done);
  });
}

function event(emitter: Writable, name: string, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      emitter.off(name, done);
      emitter.off("close", done);
      closed.removeEventListener("abort", done);
      resolve();
    };
    if (closed.aborted || emitter.destroyed) return resolve();
    emitter.once(name, done);
    emitter.once("close", done);
    closed.addEventListener("abort", done, { once: true });
  });
}
