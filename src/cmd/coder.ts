/** The `coder` program: server, command line and agent. */
import { isAgent } from "#cli/agent-argv.ts";
import { runProcess } from "./process.ts";

// No top-level await: releases are one CommonJS file.
void start();

async function start(): Promise<void> {
  if (isAgent(process.argv.slice(2))) await runProcess((await import("#cli/agent-program.ts")).agentProgram);
  else await runProcess((await import("#cli/root.ts")).root);
}
