import type { Command } from "#serpent/command.ts";
import { jobsCommand } from "./jobs.ts";
import { keysCommand } from "./keys.ts";
import { listDaemons } from "./list.ts";
import { startCommand } from "./start.ts";

export const provisionerCommand: Command = {
  use: "provisioner",
  aliases: ["provisioners"],
  short: "Run and manage provisioner daemons.",
  children: [jobsCommand, keysCommand, listDaemons, startCommand],
};
