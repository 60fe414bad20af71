/** The `coder` program for clients and workspaces: command line and agent, no server. */
import { isAgent } from "#cli/agent-argv.ts";
import { runProcess } from "./process.ts";

void start();

async function start(): Promise<void> {
  if (isAgent(process.argv.slice(2))) await runProcess((await import("#cli/agent-program.ts")).agentProgram);
  else await runProcess((await import("#cli/slim.ts")).slimRoot);
}
