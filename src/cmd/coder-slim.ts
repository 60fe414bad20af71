/** The `coder` program for clients and workspaces: command line and agent, no server. */
import { slimRoot } from "#cli/slim.ts";
import { runProcess } from "./process.ts";

void runProcess(slimRoot);
