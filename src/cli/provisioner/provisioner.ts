import type { Command } from "#serpent/command.ts";
import { keysCommand } from "./keys.ts";
import { startCommand } from "./start.ts";

export const provisionerCommand: Command = {
  use: "provisioner",
  aliases: ["provisioners"],
  short: "Run and manage provisioner daemons.",
  children: [keysCommand, startCommand],
};
