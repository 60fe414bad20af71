import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually } from "#testutil/testutil.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { errorResponse } from "../../httpapi/error-response.ts";
import { scratchRoot, seeded } from "../dbtestutil/cluster.ts";
import { Database } from "../db.ts";
import { startEmbeddedPostgres } from "./embedded.ts";

/** A disk of its own, small enough to fill. Undefined, and the test skipped, where this user may not mount one. */
async function smallDisk(t: TestContext, megabytes: number): Promise<string | undefined> {
  const root = await scratchRoot();
  await mkdir(root, { recursive: true });
  const dir = await mkdtemp(join(root, "small-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=755`, "tmpfs", dir]);
  if (mounted.status !== 0) {
    await rm(dir, { recursive: true });
    t.skip("filling a disk needs one of its own: mounting a tmpfs is not allowed here");
    return undefined;
  }
  t.after(async () => {
    spawnSync("umount", ["-l", dir]);
    await rm(dir, { recursive: true, force: true });
  });
  return dir;
}

/** Writes until nothing more fits. */
async function fill(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, "filler");
  const file = await open(path, "w");
  const block = Buffer.alloc(64 * 1024);
  try {
    for (;;) await file.write(block);
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error && error.code === "ENOSPC", String(error));
  } finally {
    await file.close();
  }
  return () => rm(path);
}

test("a full disk: a clear message, nothing acknowledged is lost, and it goes on when there is room", async (t) => {
  const dir = await smallDisk(t, 128);
  if (dir === undefined) return;
  await using server = await startEmbeddedPostgres({
    stateDir: join(dir, "state"),
    dataHome: join(dir, "home"),
    socketRoot: dir,
    cacheDir: await scratchRoot(),
    rootDir: await scratchRoot(),
    seed: await seeded(await scratchRoot()),
    settings: { shared_buffers: "16MB" },
    durable: false,
    log: discardLogger,
    clock: realClock,
  });
  await using database = await Database.open({
    connection: { ...server.connection, database: "migrated" },
    log: discardLogger,
    clock: realClock,
  });
  const { store } = database;
  const acknowledged = new Map<string, string>();
  const write = async (n: number): Promise<void> => {
    const [key, value] = [`key-${n}`, cryptoRand.string(100_000)];
    await store.upsertSiteConfig({ key, value });
    acknowledged.set(key, value);
  };
  for (let n = 0; n < 5; n++) await write(n);
  const empty = await fill(dir);
  let refused: unknown;
  for (let n = 5; n < 1_000 && refused === undefined; n++) {
    await write(n).catch((error: unknown) => (refused = error));
  }
  const { status, text } = errorResponse(refused);
  assert.equal(status, 503, String(refused));
  assert.match(text, /disk that holds the database is full|database cannot be reached/);
  await empty();
  await eventually("it writes again", () => write(1_000).then(() => true), { timeoutMs: 30_000 });
  for (const [key, value] of acknowledged) {
    assert.equal((await store.getSiteConfig({ key }))?.value, value);
  }
});

test("a start on a full disk names the disk and the way out", async (t) => {
  const dir = await smallDisk(t, 4);
  if (dir === undefined) return;
  await fill(dir);
  await assert.rejects(
    startEmbeddedPostgres({
      stateDir: join(dir, "state"),
      dataHome: join(dir, "home"),
      socketRoot: dir,
      cacheDir: await scratchRoot(),
      rootDir: await scratchRoot(),
      durable: false,
      log: discardLogger,
      clock: realClock,
    }),
    /the disk that holds .* is full: free some space.*CODER_PG_CONNECTION_URL/s,
  );
});
