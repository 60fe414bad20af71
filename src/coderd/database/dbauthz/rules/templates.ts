import type { templatesQueries } from "../../gen/templates.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { inOrganization, template } from "../kinds.ts";
import { templateById } from "../load.ts";
import { arg, filter, open, parent, row } from "../rule.ts";

const update = parent("update", template, templateById);
const remove = parent("delete", template, templateById);

export const templatesRules = {
  insertTemplate: arg("create", inOrganization("template")),
  getTemplateById: row("read", template),
  lockTemplate: update,
  getTemplateByName: row("read", template),
  getTemplates: filter(),
  getTemplateBuildTimes: open("how long builds took, of templates that the caller has just read"),
  updateTemplate: update,
  updateTemplateActiveVersion: update,
  deleteTemplate: remove,
  countWorkspacesOfTemplate: remove,
  // Settings of the template that reach its workspaces.
  touchWorkspacesOfTemplate: update,
  updateDormantWorkspacesOfTemplate: update,
  clearNextStartsOfTemplate: update,
} satisfies RulesOf<typeof templatesQueries>;
