import type { Command } from "#serpent/command.ts";
import { archiveTemplates, archiveVersions, unarchiveVersions } from "./archiveversions.ts";
import { deleteTemplates } from "./delete.ts";
import { editCommand } from "./edit.ts";
import { initCommand } from "./init.ts";
import { listTemplates, listVersions } from "./list.ts";
import { presetsCommand } from "./presets.ts";
import { promoteVersion } from "./promote.ts";
import { pullCommand } from "./pull.ts";
import { pushCommand } from "./push.ts";

export const templatesCommand: Command = {
  use: "templates",
  aliases: ["template"],
  short: "Manage templates.",
  long: "A template describes the machine that a workspace runs on.\n\n  - Make or update a template from the current folder:\n\n       $ coder templates push my-template",
  children: [
    archiveTemplates,
    deleteTemplates,
    editCommand,
    initCommand,
    listTemplates,
    presetsCommand,
    pullCommand,
    pushCommand,
    {
      use: "versions",
      aliases: ["version"],
      short: "Manage versions of a template.",
      children: [archiveVersions, listVersions, promoteVersion, unarchiveVersions],
    },
  ],
};
