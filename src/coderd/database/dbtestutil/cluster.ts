/**
 * A PostgreSQL of one test process: in memory where /dev/shm has room, without fsync, gone afterwards. What a killed
 * run left behind is swept by the next one.
 */
import { mkdir, readdir, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../embedded/embedded.ts";
import { isAlive } from "../embedded/process.ts";

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

async function scratchRoot(): Promise<string> {
  const stats = await statfs("/dev/shm").catch(() => undefined);
  const roomy = stats !== undefined && stats.bavail * stats.bsize > room;
  return join(roomy ? "/dev/shm" : tmpdir(), `coder-test-${process.getuid?.() ?? 0}`);
}

export async function startTestCluster(): Promise<EmbeddedPostgres> {
  const root = await scratchRoot();
  await mkdir(root, { recursive: true, mode: 0o755 });
  await sweep(root);
  const run = join(root, `run-${process.pid}-${cryptoRand.string(6, "abcdefghijklmnop")}`);
  await mkdir(run, { mode: 0o755 });
  const server = await startEmbeddedPostgres({
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
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(run, { recursive: true, force: true });
    },
  };
}

async function sweep(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const [, pid] = /^run-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) {
      await rm(join(root, name), { recursive: true, force: true });
    }
  }
}
