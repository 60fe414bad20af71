/**
 * The native half of @lydell/node-pty. Its JavaScript half destroys the terminal 200 ms after the exit whether or not
 * the reader has caught up, which loses the tail for a slow reader; so we call the addon ourselves.
 */
import { createRequire } from "node:module";

export interface PtyBinding {
  /** forkpty(3) and execvp(3): the child leads a session of its own whose terminal is the new one. */
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (code: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number; readonly pty: string };
  open(cols: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(fd: number, cols: number, rows: number): void;
}

/** The addon has no types of its own; that its functions are there is all that can be checked. */
function isBinding(value: unknown): value is PtyBinding {
  if (typeof value !== "object" || value === null) return false;
  return ["fork", "open", "resize"].every((name) => typeof Reflect.get(value, name) === "function");
}

/** Loads the addon on first use: a program that never opens a terminal does not pay for it. Node caches it. */
export function loadBinding(): PtyBinding {
  const load = createRequire(import.meta.url);
  const name = `@lydell/node-pty-${process.platform}-${process.arch}/pty.node`;
  try {
    const binding: unknown = load(name);
    if (!isBinding(binding)) throw new Error("it is not the addon");
    return binding;
  } catch (error) {
    throw new Error(
      `no terminals on this machine: the package ${name} is missing or does not load (was it installed with --omit=optional?)`,
      { cause: error },
    );
  }
}
