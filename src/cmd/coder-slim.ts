/** The `coder` program for clients and workspaces: command line and agent, no server. */
import { runProgram } from "./program.ts";

void runProgram(async () => (await import("#cli/slim.ts")).slimRoot);
