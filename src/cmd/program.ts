/** Which commands a process loads: all of its program's, or only an agent's. */
import { isSea } from "node:sea";
import { isAgent, reaperOf } from "#cli/agent-argv.ts";
import type { Command } from "#serpent/command.ts";

/** Never returns. */
export async function runProgram(load: () => Promise<Command>): Promise<never> {
  const { pid, execPath, execArgv, argv, argv0 } = process;
  const reaper = reaperOf({ pid, execPath, execArgv, argv, argv0, release: isSea() });
  // This process becomes a shell; nothing has been opened yet.
  if (reaper && process.execve) process.execve(reaper.file, reaper.args, definedOnly(process.env));
  const { runProcess } = await import("./process.ts");
  const agent = isAgent(process.argv.slice(2));
  return await runProcess(agent ? (await import("#cli/agent-program.ts")).agentProgram : await load());
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
