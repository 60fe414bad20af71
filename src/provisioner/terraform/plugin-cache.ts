/**
 * The folder where Terraform keeps providers for all builds: `<host>/<namespace>/<name>/<version>/<os_arch>`. Terraform
 * does not lock it, so inits of one process take turns.
 */
import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** A provider that no build has touched for this long is removed. */
const staleMs = 30 * 24 * 60 * 60 * 1000;

/** How often the folder is looked through. */
const sweepEveryMs = 60 * 60 * 1000;

const depth = 5;

async function folders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
}

async function newest(dir: string): Promise<number> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const times = await Promise.all(
    files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).mtimeMs),
  );
  return Math.max(0, ...times);
}

async function sweep(dir: string, level: number, now: Date): Promise<void> {
  for (const path of await folders(dir)) {
    if (level === depth) {
      if (now.getTime() - (await newest(path)) > staleMs) await rm(path, { recursive: true, force: true });
      continue;
    }
    await sweep(path, level + 1, now);
    // Only an empty folder goes; one that holds something stays, which is no error.
    await rmdir(path).catch(() => {});
  }
}

export class PluginCache {
  readonly dir: string;
  #turn: Promise<unknown> = Promise.resolve();
  #swept = 0;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Runs `work` when no other work of this process uses the folder. */
  async exclusive<T>(now: Date, work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const mine = Promise.withResolvers<void>();
    this.#turn = mine.promise;
    await before;
    try {
      if (now.getTime() - this.#swept > sweepEveryMs) {
        this.#swept = now.getTime();
        await sweep(this.dir, 1, now);
      }
      return await work();
    } finally {
      mine.resolve();
    }
  }
}
