/** The path of this program, for files that run it later: ssh configurations, Git's settings. */
import { join, resolve } from "node:path";

/**
 * From a clone it is the `coder` script beside package.json. A wrapped binary runs from where it was unpacked, so its
 * wrapper says in `CODER_PROGRAM` where the wrapper itself is.
 */
export function ownProgram(argv: readonly string[], execPath: string, env: NodeJS.ProcessEnv): string {
  const script = argv[1] ?? "";
  if (script.endsWith("/src/cmd/coder.ts")) return join(resolve(script), "../../../coder");
  // The clone's bundle: <clone>/.coder/program/<key>/coder.mjs.
  if (/\/\.coder\/program\/[^/]+\/coder\.mjs$/u.test(script)) {
    return join(resolve(script), "../../../../coder");
  }
  const wrapper = env["CODER_PROGRAM"] ?? "";
  return wrapper.startsWith("/") ? wrapper : execPath;
}
