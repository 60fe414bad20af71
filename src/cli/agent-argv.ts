/** Tells the command lines of agents from others, before anything is loaded. */
import { reaperCommand } from "./reaper.ts";

/** Whether the words after the program's name are for an agent. */
export function isAgent(argv: readonly string[]): boolean {
  return argv[0] === "agent";
}

export interface ProcessFacts {
  readonly pid: number;
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What an agent that is the first process of a container has to become; undefined for all others. */
export function reaperOf(facts: ProcessFacts): ReturnType<typeof reaperCommand> | undefined {
  const { pid, execPath, execArgv, argv, env } = facts;
  const words = argv.slice(2);
  if (pid !== 1 || !isAgent(words) || words.includes("--no-reap")) return undefined;
  const script = argv[1] ?? "";
  const wrapper = env["CODER_PROGRAM"] ?? "";
  const again = /\.[cm]?[jt]s$/u.test(script)
    ? [execPath, ...execArgv, script]
    : [wrapper.startsWith("/") ? wrapper : execPath];
  return reaperCommand([...again, ...words, "--no-reap"]);
}
