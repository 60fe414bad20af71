/**
 * Jobs that a daemon has taken and not yet reported, in files: when its process is killed, the next one of the same name
 * tells the server at once how they ended, with the state that was last written. Written by daemon.ts; read by it at
 * its start, and by the server for its built-in daemons.
 *
 *     <folder>/<job id>.json   whose job it is
 *     <folder>/<job id>.state  the state that was applied, until the server has it
 */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "#slog/slog.ts";
import { findLeftover } from "#provisionersdk/leftover.ts";
import { processStart } from "#util/process.ts";

export interface JournalOptions {
  readonly dir: string;
  /** The same in the daemon's next life and no other daemon's: only its own jobs are its to end. */
  readonly owner: string;
  /** Parents of the engines' session folders. */
  readonly workDirs: readonly string[];
  readonly log: Logger;
}

interface Entry {
  readonly owner: string;
  readonly pid: number;
  readonly started: string;
  /** "" for jobs that are no builds. */
  readonly buildId: string;
}

export interface LeftJob {
  readonly jobId: string;
  readonly isBuild: boolean;
  /** Undefined where none was written: the server's own is the last. */
  readonly state: Buffer | undefined;
  /** The server knows; nothing of it is needed any more. */
  readonly forget: () => Promise<void>;
}

const jobName = /^([0-9a-f-]{36})\.json$/;

export class JobJournal {
  readonly #options: JournalOptions;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  async begin(jobId: string, buildId: string): Promise<void> {
    const { dir, owner } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { pid } = process;
    const entry: Entry = { owner, pid, started: processStart(pid) ?? "", buildId };
    await this.#write(`${jobId}.json`, Buffer.from(JSON.stringify(entry)));
  }

  /** From here on the session's folder may go. */
  keepState(jobId: string, state: Uint8Array): Promise<void> {
    return this.#write(`${jobId}.state`, state);
  }

  async end(jobId: string): Promise<void> {
    const { dir } = this.#options;
    for (const kind of ["json", "state"]) await rm(join(dir, `${jobId}.${kind}`), { force: true });
  }

  /** Jobs of this owner whose process is gone. */
  async left(): Promise<LeftJob[]> {
    const { dir, owner, workDirs, log } = this.#options;
    const out: LeftJob[] = [];
    for (const name of await readdir(dir).catch(() => [])) {
      const jobId = jobName.exec(name)?.[1];
      if (jobId === undefined) continue;
      const entry = await readEntry(join(dir, name));
      if (!entry) {
        log.warn("an entry of the job journal cannot be read", { file: join(dir, name) });
        continue;
      }
      if (entry.owner !== owner || processStart(entry.pid) === entry.started) continue;
      const session = entry.buildId === "" ? undefined : await findLeftover(workDirs, entry.buildId);
      const kept = await readFile(join(dir, `${jobId}.state`)).catch(() => undefined);
      out.push({
        jobId,
        isBuild: entry.buildId !== "",
        state: kept ?? session?.state,
        forget: async () => {
          await session?.remove();
          await this.end(jobId);
        },
      });
    }
    return out;
  }

  /** Whole or not at all, also after a power cut. */
  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#options.dir, name);
    const draft = `${path}.new`;
    await using file = await open(draft, "w", 0o600);
    await file.writeFile(bytes);
    await file.sync();
    await rename(draft, path);
  }
}

async function readEntry(path: string): Promise<Entry | undefined> {
  try {
    const json: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof json !== "object" || json === null) return undefined;
    const fields: Record<string, unknown> = Object.fromEntries(Object.entries(json));
    const { owner, pid, started, buildId } = fields;
    if (typeof owner !== "string" || typeof started !== "string" || typeof buildId !== "string") {
      return undefined;
    }
    return Number.isInteger(pid) ? { owner, pid: Number(pid), started, buildId } : undefined;
  } catch {
    return undefined;
  }
}

/** What people read as the reason. */
export const leftJobError =
  "The provisioner daemon was killed while this job ran; the last state that it wrote is kept.";
