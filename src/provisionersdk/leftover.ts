/**
 * What a session keeps in its folder for the case that its process is killed, and how the next process finds it
 * (design §4, "Who dies with whom"). Engines write their state to `files/terraform.tfstate` before and after each step.
 *
 *     Session<uuid>/
 *       build                    id of the workspace build
 *       commands/<pid>           a process group that runs for the session: when its leader was started
 *       files/terraform.tfstate  the last written state
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { processStart } from "#util/process.ts";
import { sessionFolders } from "./workdir.ts";

/** Larger ones are not read back: they could not be sent either. */
const maxState = 64 * 1024 * 1024;

export function markBuild(workDir: string, buildId: string): void {
  writeFileSync(join(workDir, "build"), buildId, { mode: 0o600 });
}

/** Notes that a process group, led by `pid`, runs for the session. Disposing it says that it has ended. */
export function trackCommand(workDir: string, pid: number): Disposable {
  const folder = join(workDir, "commands");
  const file = join(folder, String(pid));
  const started = processStart(pid);
  if (started !== undefined) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, started, { mode: 0o600 });
  }
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

export interface Leftover {
  /** Undefined where nothing was written. */
  readonly state: Buffer | undefined;
  /** Removes the folder. */
  remove(): Promise<void>;
}

/**
 * The session that a killed process had for a build, below one of the folders. What still runs in its name is killed
 * first, so that the state which is read is the last one.
 */
export async function findLeftover(
  workDirs: readonly string[],
  buildId: string,
): Promise<Leftover | undefined> {
  for (const workDir of workDirs) {
    for (const folder of await sessionFolders(workDir)) {
      const build = await readFile(join(folder, "build"), "utf8").catch(() => undefined);
      if (build !== buildId) continue;
      killCommands(folder);
      return {
        state: await readState(join(folder, "files/terraform.tfstate")),
        remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
      };
    }
  }
  return undefined;
}

function killCommands(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(join(folder, "commands"));
  } catch {
    return;
  }
  for (const name of names) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid < 2) continue;
    const started = readFileSync(join(folder, "commands", name), "utf8");
    if (processStart(pid) !== started) continue;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It ended just now.
    }
  }
}

/** Whatever is no whole JSON was cut off while it was written: worth less than what the server has. */
async function readState(file: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(file);
    if (bytes.length === 0 || bytes.length > maxState) return undefined;
    JSON.parse(bytes.toString("utf8"));
    return bytes;
  } catch {
    return undefined;
  }
}
