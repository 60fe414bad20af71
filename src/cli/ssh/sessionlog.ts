/** `--log-dir`: one file for each connection, found by editors through the process id in its name. */
import { mkdir, open } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Invocation } from "#serpent/command.ts";
import { type Logger, pinoLogger } from "#slog/slog.ts";
import { UserError } from "../errors.ts";

export interface SessionLog extends AsyncDisposable {
  readonly log: Logger;
  readonly path: string;
}

const letters = "abcdefghijklmnopqrstuvwxyz";

/** `coder-ssh-<date>-<time>-<5 letters>[-<parent's pid>].log`; with `pid` the parent is an editor's ssh. */
export function logName(inv: Pick<Invocation, "clock" | "rand">, pid: number | undefined): string {
  const stamp = inv.clock.now().toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const tail = Array.from({ length: 5 }, () => letters[inv.rand.int(letters.length)] ?? "").join("");
  return `coder-ssh-${stamp}-${tail}${pid === undefined ? "" : `-${pid}`}.log`;
}

export async function openSessionLog(inv: Invocation, dir: string, name: string): Promise<SessionLog> {
  const path = join(resolve(inv.cwd, dir), name);
  await mkdir(resolve(inv.cwd, dir), { recursive: true, mode: 0o700 });
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    throw new UserError(
      `cannot make the log file: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const stream = file.createWriteStream({ flush: false });
  // A full disk ends the log, not the connection.
  stream.on("error", () => {});
  return {
    path,
    log: pinoLogger({ level: "debug", destination: { write: (line) => void stream.write(line) } }),
    [Symbol.asyncDispose]: () => new Promise((done) => stream.end(() => done())),
  };
}
