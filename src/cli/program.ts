/** The path of this program, for files that run it later: ssh configurations, Git's settings. */
import { resolve } from "node:path";

export interface ProcessFacts {
  readonly argv: readonly string[];
  /** As whoever started the process wrote it. */
  readonly argv0: string;
  readonly execPath: string;
  /** Whether this is a release, which carries its program in itself. */
  readonly release: boolean;
}

/**
 * From a clone it is the `coder` script beside package.json. A release runs from where it was unpacked, so its launcher
 * passes its own path on as argv[0]; without one it is the launcher of the unpacked tree.
 */
export function ownProgram({ argv, argv0, execPath, release }: ProcessFacts): string {
  if (release) return argv0.includes("/") ? resolve(argv0) : resolve(execPath, "../../coder");
  const script = resolve(argv[1] ?? "");
  const clone = /^(.*)\/(?:src\/cmd\/coder\.ts|\.coder\/program\/[^/]+\/coder\.mjs)$/.exec(script)?.[1];
  return clone === undefined ? execPath : `${clone}/coder`;
}
