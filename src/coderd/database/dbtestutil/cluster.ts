/**
 * A PostgreSQL of one test process: in memory where /dev/shm has room, without fsync, gone afterwards. What a killed
 * run left behind is swept by the next one.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, statfs, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { clientConfig } from "../connection.ts";
import { exists } from "../embedded/binaries.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../embedded/embedded.ts";
import { isAlive } from "../embedded/process.ts";
import { loadMigrations, migrate } from "../migrate.ts";

const settings = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  max_connections: "300",
  shared_buffers: "64MB",
  file_copy_method: "clone",
} as const;

/** Bytes that a run may need: data of a few hundred small databases. */
const room = 2 ** 30;

/** Where test servers live: memory, if there is room. */
export async function scratchRoot(): Promise<string> {
  const stats = await statfs("/dev/shm").catch(() => undefined);
  const roomy = stats !== undefined && stats.bavail * stats.bsize > room;
  return join(roomy ? "/dev/shm" : tmpdir(), `coder-test-${process.getuid?.() ?? 0}`);
}

/** Has a database `migrated`, which `CREATE DATABASE … TEMPLATE` copies. */
export async function startTestCluster(): Promise<EmbeddedPostgres> {
  const root = await scratchRoot();
  await mkdir(root, { recursive: true, mode: 0o755 });
  await sweep(root);
  return startIn(root, { seed: await seeded(root) });
}

async function startIn(
  root: string,
  options: { readonly seed?: string },
): Promise<EmbeddedPostgres & { keepAs(path: string): void }> {
  let kept: string | undefined;
  const run = join(root, `run-${process.pid}-${cryptoRand.string(6, "abcdefghijklmnop")}`);
  await mkdir(run, { mode: 0o755 });
  const server = await startEmbeddedPostgres({
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    stateDir: run,
    cacheDir: root,
    rootDir: root,
    dataHome: run,
    socketRoot: run,
    log: discardLogger,
    clock: realClock,
    settings,
    durable: false,
  });
  return {
    connection: server.connection,
    dataDir: server.dataDir,
    adopted: server.adopted,
    pid: () => server.pid(),
    /** Once it has ended, its data folder goes there. */
    keepAs(path) {
      kept = path;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      if (kept !== undefined) await rename(server.dataDir, kept).catch(() => {});
      await rm(run, { recursive: true, force: true });
    },
  };
}

/**
 * Data folder of a stopped server that has run all migrations, made once per set of migrations: copying it costs a
 * tenth of initdb and migrating. Processes may race; the first rename wins.
 */
export async function seeded(root: string): Promise<string> {
  const migrations = await loadMigrations();
  const hash = createHash("sha256").update(JSON.stringify([migrations, settings, process.versions.node]));
  const seed = join(root, `seed-${hash.digest("hex").slice(0, 16)}`);
  if (await exists(seed)) {
    await utimes(seed, realClock.now(), realClock.now()).catch(() => {});
    return seed;
  }
  await using server = await startIn(root, {});
  const admin = new pg.Client(clientConfig(server.connection));
  await admin.connect();
  await admin.query("CREATE DATABASE migrated");
  await admin.end();
  await migrate({ connection: { ...server.connection, database: "migrated" }, migrations });
  server.keepAs(seed);
  return seed;
}

/** Folders of dead processes, and seeds that nobody has made or used for a day. */
async function sweep(root: string): Promise<void> {
  const yesterday = realClock.now().getTime() - 86_400_000;
  for (const name of await readdir(root)) {
    const [, pid] = /^run-(\d+)-/.exec(name) ?? [];
    const dead = pid !== undefined && !isAlive(Number(pid));
    const stale = name.startsWith("seed-") && ((await mtime(join(root, name))) ?? yesterday) < yesterday;
    if (dead || stale) await rm(join(root, name), { recursive: true, force: true });
  }
}

async function mtime(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mtimeMs;
}
