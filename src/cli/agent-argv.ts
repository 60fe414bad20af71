/** Tells the command lines of agents from others, before anything is loaded. */
import { ownProgram } from "./program.ts";
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
  readonly argv0: string;
  /** Whether this is a release, which carries its program in itself. */
  readonly release: boolean;
}

/** What an agent that is the first process of a container has to become; undefined for all others. */
export function reaperOf(facts: ProcessFacts): ReturnType<typeof reaperCommand> | undefined {
  const { pid, execPath, execArgv, argv, release } = facts;
  const words = argv.slice(2);
  if (pid !== 1 || !isAgent(words) || words.includes("--no-reap")) return undefined;
  const again = release ? [ownProgram(facts)] : [execPath, ...execArgv, argv[1] ?? ""];
  return reaperCommand([...again, ...words, "--no-reap"]);
}
