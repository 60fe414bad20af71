/** Folders of sessions: one each, removed at its end; what a killed daemon left behind goes after seven days. */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";

const prefix = "Session";
const staleMs = 7 * 24 * 60 * 60 * 1000;

export interface SessionFolder extends AsyncDisposable {
  readonly path: string;
}

export async function makeSessionFolder(
  parent: string,
  options: { readonly id: string; readonly clock: Clock; readonly log: Logger },
): Promise<SessionFolder> {
  const { clock, log } = options;
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await removeStale(parent, clock.now(), log);
  const path = join(parent, `${prefix}${options.id}`);
  await mkdir(path, { mode: 0o700 });
  return {
    path,
    async [Symbol.asyncDispose]() {
      try {
        await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 250 });
      } catch (error) {
        log.warn("cannot remove the folder of a session", { path, error });
      }
    },
  };
}

/** Paths of the sessions' folders below a parent. */
export async function sessionFolders(parent: string): Promise<string[]> {
  const names = await readdir(parent).catch(() => []);
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(parent, name));
}

async function removeStale(parent: string, now: Date, log: Logger): Promise<void> {
  for (const path of await sessionFolders(parent)) {
    const { mtime } = await stat(path).catch(() => ({ mtime: now }));
    if (now.getTime() - mtime.getTime() < staleMs) continue;
    log.info("removing the folder of an old session", { path });
    await rm(path, { recursive: true, force: true });
  }
}
