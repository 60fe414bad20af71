/**
 * The program as workspaces start it: `coder agent`, and nothing that only other commands need. Loading those costs more
 * than all that an agent does before it dials.
 */
import type { Command } from "#serpent/command.ts";
import { agentCommand } from "./agent.ts";
import { globals } from "./globals.ts";

export const agentProgram: Command = {
  use: "coder <subcommand>",
  short: "Remote development environments on your own machines.",
  options: Object.values(globals),
  children: [agentCommand],
};
