/** One run of the `postgres` program: start, readiness, stop; and what can be learned of one that somebody else began. */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import type { Logger } from "#slog/slog.ts";
import { clientConfig, type PgConnection } from "../connection.ts";
import { explain, hasCode } from "./diagnose.ts";
import type { Identity } from "./identity.ts";

export const socketPort = 5432;

export interface Running {
  readonly pid: number;
  /** Resolves when the server has ended. */
  readonly ended: Promise<void>;
}

export interface LaunchOptions {
  readonly postgres: string;
  readonly data: string;
  readonly socketDir: string;
  readonly identity: Identity;
  readonly settings: Readonly<Record<string, string>>;
  /** Ends with us, if `setpriv` is there. */
  readonly tied: boolean;
  readonly log: Logger;
}

/** Starts the server and waits until it accepts connections. Throws with PostgreSQL's own words if it ends first. */
export async function launch(options: LaunchOptions): Promise<Running> {
  const args = ["-D", options.data, "-k", options.socketDir, "-p", String(socketPort), "-h", ""];
  for (const [key, value] of Object.entries(options.settings)) args.push("-c", `${key}=${value}`);
  const child = spawnAs(options.postgres, args, options);
  const ended = once(child, "exit").then(() => {});
  const said = await readiness(child, options.log);
  if (said !== undefined) throw explain("start", options.data, said);
  return { pid: child.pid ?? 0, ended };
}

/** `setpriv` ties the server's life to ours: it gets SIGINT (fast shutdown) when we die, however we die. */
function spawnAs(program: string, args: readonly string[], options: LaunchOptions): ChildProcess {
  const { run } = options.identity;
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => options.tied && existsSync(path));
  const rest: SpawnOptions = { stdio: ["ignore", "ignore", "pipe"], env: cleanEnv(), cwd: "/" };
  // In a group of its own: Ctrl-C at the terminal reaches us alone, and we shut it down last.
  if (setpriv === undefined) return spawn(program, args, { ...rest, ...run, detached: true });
  const change = run ? ["--reuid", String(run.uid), "--regid", String(run.gid), "--clear-groups"] : [];
  return spawn(setpriv, [...change, "--pdeathsig", "INT", "--", program, ...args], {
    ...rest,
    detached: true,
  });
}

/** PG* variables of the caller must not reach the server. */
export function cleanEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

/** Undefined when ready, else what the server said before it ended. Its lines go to the log as long as it lives. */
function readiness(child: ChildProcess, log: Logger): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = "";
    let partial = "";
    let ready = false;
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      if (!ready) said = (said + chunk).slice(-8192);
      const lines = (partial + chunk).split("\n");
      partial = (lines.pop() ?? "").slice(-8192);
      for (const line of lines) {
        if (/\b(WARNING|ERROR|FATAL|PANIC):/.test(line)) log.warn("postgres said", { line });
        else log.debug("postgres said", { line });
        if (line.includes("database system is ready to accept connections")) {
          ready = true;
          resolve(undefined);
        }
      }
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(`${said}\nended with ${signal ?? `status ${code}`}`));
  });
}

/** A whole login: a server that shuts down still accepts connections, only to refuse them. */
export async function answers(connection: PgConnection): Promise<boolean> {
  const client = new pg.Client({ ...clientConfig(connection), connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  const connected = await client.connect().then(
    () => true,
    () => false,
  );
  await client.end().catch(() => {});
  return connected;
}

/** The postmaster that holds this data folder, if it lives. A pid file whose process is something else is removed. */
export async function livingPostmaster(data: string): Promise<number | undefined> {
  const file = join(data, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const pid = Number.parseInt(text, 10);
  if (isAlive(pid) && (await worksIn(pid, data))) return pid;
  await rm(file, { force: true });
  return undefined;
}

async function worksIn(pid: number, data: string): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return cwd === undefined || cwd === data;
}

/** A zombie counts as dead: in containers nobody may ever ask for its status. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!hasCode(error, "EPERM")) return false;
  }
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // No /proc on this system, or it ended this moment.
    return !existsSync("/proc/self") || !hasCode(error, "ENOENT", "ESRCH");
  }
}
