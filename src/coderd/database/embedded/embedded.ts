/**
 * The built-in PostgreSQL: `coder server` and the tests start one when no external server is configured.
 *
 * Promises: the server listens on a Unix socket only, in a folder that nobody else may enter; it dies with us, and if
 * it could not (no `setpriv`), the next start adopts it; kill -9 of either side loses nothing that was committed; a
 * killed first start leaves nothing that a second one trips over; while we run, a database that dies is started again.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { PgConnection } from "../connection.ts";
import { exists, installBinaries } from "./binaries.ts";
import { checkMajor, EmbeddedPostgresError, explain } from "./diagnose.ts";
import { chooseIdentity, giveTree, type Identity, type Ids, privateFolder } from "./identity.ts";
import { answers, cleanEnv, isAlive, launch, livingPostmaster, type Running, socketPort } from "./process.ts";

export interface EmbeddedOptions {
  /** Where the data lives (in a folder `postgres` below), unless we are root: then below `rootDir`. */
  readonly stateDir: string;
  /** Where the programs are copied to, unless we are root. */
  readonly cacheDir: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Ends the wait for the start. */
  readonly signal?: AbortSignal | undefined;
  /** As root: a folder that the database's user can reach. */
  readonly rootDir?: string;
  /** Holds the data folder; default as told above. */
  readonly dataHome?: string;
  /** False: initdb does not wait for the disk. Tests only. */
  readonly durable?: boolean;
  /** A stopped server's data folder to copy instead of running initdb. Tests only. */
  readonly seed?: string;
  /** False: the server outlives us when we are killed, as on systems without `setpriv`. Tests only. */
  readonly tied?: boolean;
  /** Parent of the socket folder: short (107 bytes are the limit of a socket's path). */
  readonly socketRoot?: string;
  /** More settings of the server, e.g. `fsync: "off"` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  readonly connection: PgConnection;
  readonly dataDir: string;
  /** True if a server of an earlier life was found running. */
  readonly adopted: boolean;
  /** The server's process, for tests of faults. */
  pid(): number;
}

/** Small: an idle server stays near 30 MiB, and the start takes a third of a second. */
const defaultSettings = {
  shared_buffers: "32MB",
  max_connections: "100",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "256MB",
  io_method: "sync",
  jit: "off",
  max_parallel_workers: "2",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "",
  log_checkpoints: "off",
} as const;

export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { clock, log } = options;
  const identity = await chooseIdentity();
  const hash = createHash("sha256").update(resolve(options.stateDir)).digest("hex").slice(0, 12);
  const home =
    options.dataHome ??
    (identity.run ? join(options.rootDir ?? "/var/lib/coder", hash) : join(options.stateDir, "postgres"));
  const programs = identity.run ? (options.rootDir ?? "/var/lib/coder") : options.cacheDir;
  const data = join(home, "data");
  const socketDir = join(options.socketRoot ?? "/tmp", `coder-${identity.uid}-${hash}`);

  const connection = { host: socketDir, port: socketPort, user: "coder", database: "postgres" };

  const prepared = await prepare({
    home,
    programs,
    data,
    socketDir,
    identity,
    durable: options.durable ?? true,
    seed: options.seed,
  });
  const launchOptions = {
    postgres: prepared.postgres,
    data,
    socketDir,
    identity,
    settings: { ...defaultSettings, ...options.settings },
    tied: options.tied ?? true,
    log: log.named("postgres"),
  };

  const adopt = (pid: number) => ({ running: { pid, ended: death(pid, clock) }, adopted: true });
  const start = async (): Promise<{ running: Running; adopted: boolean }> => {
    for (let attempt = 0; ; attempt++) {
      options.signal?.throwIfAborted();
      const other = await livingPostmaster(data);
      if (other !== undefined) {
        if (await answers(connection)) {
          if (await ownerLives(home)) return adopt(other);
          // Its parent was killed: it may have been told to end a moment ago.
          await clock.sleep(250, { signal: options.signal });
          if (isAlive(other) && (await answers(connection))) return adopt(other);
        }
        // It is starting or shutting down (its parent was killed): wait for either.
        if (attempt > 600) {
          throw new EmbeddedPostgresError(`built-in PostgreSQL: process ${other} hangs: end it`);
        }
        await clock.sleep(50, { signal: options.signal });
        continue;
      }
      try {
        return { running: await launch(launchOptions), adopted: false };
      } catch (error) {
        // Children of a killed postmaster need a moment to notice.
        const again =
          error instanceof Error && /pre-existing shared memory|already in use/.test(error.message);
        if (!again || attempt > 100) throw error;
        await clock.sleep(100, { signal: options.signal });
      }
    }
  };

  const first = await start();
  const mine = !first.adopted || !(await ownerLives(home));
  if (mine) await writeFile(join(home, "owner.pid"), String(process.pid)).catch(() => {});
  if (first.adopted) {
    log.info("a database of an earlier start was still running; using it", { pid: first.running.pid });
  }

  let current = first.running;
  const stopping = new AbortController();
  const supervise = async (): Promise<void> => {
    for (let backoff = 50; ;) {
      await current.ended;
      if (stopping.signal.aborted) return;
      log.error("the database ended by itself; starting it again", { pid: current.pid });
      try {
        current = (await start()).running;
        backoff = 50;
      } catch (error) {
        log.error("the database does not start", { error });
        await clock.sleep(backoff, { signal: stopping.signal }).catch(() => {});
        backoff = Math.min(backoff * 2, 5_000);
      }
    }
  };
  const supervised = supervise();

  return {
    connection,
    dataDir: data,
    adopted: first.adopted,
    pid: () => current.pid,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      if (mine) {
        await stop(current, clock, log);
        await supervised;
        await rm(socketDir, { recursive: true, force: true });
      }
    },
  };
}

interface Places {
  readonly home: string;
  readonly programs: string;
  readonly data: string;
  readonly socketDir: string;
  readonly identity: Identity;
  readonly durable: boolean;
  readonly seed: string | undefined;
}

/** Programs copied, data folder made, socket folder checked. */
async function prepare(places: Places): Promise<{ postgres: string }> {
  const { home, data, identity } = places;
  try {
    const binaries = await installBinaries(places.programs);
    await mkdir(dirname(home), { recursive: true, mode: 0o755 });
    await mkdir(home, { recursive: true, mode: identity.run ? 0o755 : 0o700 });
    const version = await readFile(join(data, "PG_VERSION"), "utf8").catch(() => undefined);
    if (version === undefined) await initialise(binaries.initdb, places);
    else checkMajor(Number.parseInt(version, 10), binaries.major, data);
    await privateFolder(places.socketDir, identity);
    return { postgres: binaries.postgres };
  } catch (error) {
    if (error instanceof EmbeddedPostgresError) throw error;
    throw explain("preparation", home, error instanceof Error ? error.message : String(error));
  }
}

/** Into `data.new`, then renamed: a killed initdb leaves only that, which the next start removes. */
async function initialise(initdb: string, places: Places): Promise<void> {
  const { data, identity, seed } = places;
  if (await exists(data)) {
    throw new EmbeddedPostgresError(
      `built-in PostgreSQL: ${data} exists but holds no database (no PG_VERSION): move it away`,
    );
  }
  const scratch = `${data}.new`;
  await rm(scratch, { recursive: true, force: true });
  if (seed !== undefined) {
    await run("cp", ["-a", seed, scratch], undefined, dirname(data));
  } else {
    await mkdir(scratch, { mode: 0o700 });
    if (identity.initdb) await chown(scratch, identity.initdb.uid, identity.initdb.gid);
    const args = [
      "-D",
      scratch,
      "-U",
      "coder",
      "--auth-local=trust",
      "--auth-host=reject",
      "--encoding=UTF8",
    ];
    args.push("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions");
    if (!places.durable) args.push("--no-sync");
    await run(initdb, args, identity.initdb, dirname(data));
    if (identity.run) await giveTree(scratch, identity.run);
  }
  await rename(scratch, data);
}

async function run(
  program: string,
  args: readonly string[],
  ids: Ids | undefined,
  where: string,
): Promise<void> {
  const child = spawn(program, args, {
    ...ids,
    env: cleanEnv(),
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const keep = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-8192);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const status = await new Promise<number>((done) => {
    child.once("error", (error) => {
      said += error.message;
      done(-1);
    });
    child.once("close", (code) => done(code ?? -1));
  });
  if (status !== 0) throw explain(program.endsWith("initdb") ? "initdb" : program, where, said);
}

/** True if the process that started this database still runs: then it is not ours to stop. */
async function ownerLives(home: string): Promise<boolean> {
  const pid = Number(await readFile(join(home, "owner.pid"), "utf8").catch(() => "0"));
  return pid !== process.pid && isAlive(pid);
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one (recovers at the next start). */
async function stop(running: Running, clock: Clock, log: Logger): Promise<void> {
  kill(running.pid, "SIGINT");
  const timeout = new AbortController();
  const late = clock.sleep(20_000, { signal: timeout.signal }).then(
    () => true,
    () => false,
  );
  if (await Promise.race([running.ended.then(() => false), late])) {
    log.warn("the database does not shut down; ending it at once", { pid: running.pid });
    kill(running.pid, "SIGQUIT");
    await running.ended;
  }
  timeout.abort();
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** A process that is not our child tells nobody of its end: look twice a second. */
async function death(pid: number, clock: Clock): Promise<void> {
  while (isAlive(pid)) await clock.sleep(500, { unref: true });
}
