import type { templatesQueries } from "../../gen/templates.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { inOrganization, template } from "../kinds.ts";
import { templateById, templateOf } from "../load.ts";
import { arg, filter, open, parent, row, system } from "../rule.ts";

const update = parent("update", template, templateById);
const names = system(
  "read",
  "who is, or may be, named by the access list of a template that the caller may change",
);
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
  updateTemplateAcl: parent("create", template, templateById),
  getTemplateAclUsers: names,
  getAclCandidates: names,
  getGroupIdsOfOrganization: names,
  // Settings of the template that reach its workspaces.
  touchWorkspacesOfTemplate: update,
  updateDormantWorkspacesOfTemplate: update,
  getWorkspacesToReschedule: update,
  getSchedulesOfTemplate: update,
  clearNextStartsOfTemplate: update,
  setNextStarts: parent("update", template, templateOf),
  setDeadlines: system("update", "follows from the settings of a template that the caller changes"),
} satisfies RulesOf<typeof templatesQueries>;
