/** Small things of the harness. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { realClock as clock } from "#quartz/clock.ts";

/** Asks every 20 ms until the probe is true; throws after `ms`, or at once what the probe throws. */
export async function until(
  what: string,
  ms: number,
  probe: () => Promise<boolean> | boolean,
): Promise<void> {
  const end = clock.monotonic() + ms;
  while (!(await probe())) {
    if (clock.monotonic() > end) throw new Error(`${what}: not within ${ms / 1000} s`);
    await clock.sleep(20);
  }
}

/** Waits, or less if the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await clock.sleep(ms, { signal }).catch(() => {});
}

export async function tail(file: string, bytes = 4_000): Promise<string> {
  return (await readFile(file, "utf8").catch(() => "")).slice(-bytes);
}

/** A port that was free a moment ago; the server keeps it over its restarts. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
