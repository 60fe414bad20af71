/** Runs programs of the gate: output passes through, the exit status decides. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");

/** Runs `node ARGS` in the clone's root; resolves to its exit status (1 when killed by a signal). */
export function node(args: readonly string[], options: { env?: NodeJS.ProcessEnv } = {}): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...options.env },
  });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => done(code ?? 1));
  });
}
