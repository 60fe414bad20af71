import type { Command } from "#serpent/command.ts";
import { initCommand } from "./init.ts";
import { listTemplates, listVersions } from "./list.ts";
import { pushCommand } from "./push.ts";

export const templatesCommand: Command = {
  use: "templates",
  aliases: ["template"],
  short: "Manage templates.",
  long: "A template describes the machine that a workspace runs on.\n\n  - Make or update a template from the current folder:\n\n       $ coder templates push my-template",
  children: [
    initCommand,
    listTemplates,
    pushCommand,
    {
      use: "versions",
      aliases: ["version"],
      short: "Manage versions of a template.",
      children: [listVersions],
    },
  ],
};
