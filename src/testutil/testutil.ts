/** Small things that many tests need: waits, scratch folders, unique names, goldens, recorded facts. Test only. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";

/** Root of the clone. */
export const repoRoot = resolve(import.meta.dirname, "../..");

/** Asks every 10 ms until `probe` gives a value that is neither undefined nor false. For effects without an event. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: { timeoutMs?: number } = {},
): Promise<T> {
  const end = realClock.monotonic() + (options.timeoutMs ?? 15_000);
  let last: unknown;
  while (realClock.monotonic() < end) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await realClock.sleep(10);
  }
  throw new Error(`timed out: ${what}`, { cause: last });
}

/** A folder of the test's own, removed after it. */
export async function tempDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "coder-test-"));
  t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}

/** A TCP port on 127.0.0.1 that was free a moment ago. Prefer listening on port 0 where the code under test can. */
export function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolvePort(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/** A valid name for users, templates, workspaces: `prefix-` and eight characters. */
export function uniqueName(prefix = "n"): string {
  return `${prefix}-${cryptoRand.string(8, "abcdefghijklmnopqrstuvwxyz0123456789")}`;
}

/** Compares with the file; `UPDATE_GOLDEN=1` writes it instead. */
export function golden(file: string, actual: string): void {
  if (process.env["UPDATE_GOLDEN"]) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  const expected = existsSync(file) ? readFileSync(file, "utf8") : "";
  assert.equal(actual, expected, `${file} differs; UPDATE_GOLDEN=1 npm test rewrites it`);
}

/** Folder of recorded facts (`CODER_REFERENCE_DIR`, else ../shared/reference); skips the test loudly where absent. */
export function referencePath(t: TestContext, name: string): string | undefined {
  const path = join(process.env["CODER_REFERENCE_DIR"] ?? resolve(repoRoot, "../shared/reference"), name);
  if (existsSync(path)) return path;
  t.skip(`recorded facts are not here: ${name} (set CODER_REFERENCE_DIR)`);
  return undefined;
}
