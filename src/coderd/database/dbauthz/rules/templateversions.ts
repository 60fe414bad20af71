import type { templateversionsQueries } from "../../gen/templateversions.gen.ts";
import type { TemplateVersion } from "../../gen/models.gen.ts";
import type { TemplateAcl } from "../../types.ts";
import type { RulesOf } from "../dbauthz.ts";
import { inOrganization, template, type TemplateFacts } from "../kinds.ts";
import { templateOf, templateOfVersion } from "../load.ts";
import { arg, choose, parent, row } from "../rule.ts";

interface View {
  readonly v: TemplateVersion;
  readonly userAcl: TemplateAcl | null;
  readonly groupAcl: TemplateAcl | null;
}

/** A version is judged as its template. */
const factsOf = ({ v, userAcl, groupAcl }: View): TemplateFacts => ({
  id: v.templateId,
  organizationId: v.organizationId,
  userAcl,
  groupAcl,
});

const view = row("read", template, factsOf);
const below = parent("read", template, templateOfVersion);
const update = parent("update", template, (call, { id }: { readonly id: string }) =>
  templateOfVersion(call, { templateVersionId: id }),
);

interface NewVersion {
  readonly templateId?: string | null | undefined;
  readonly organizationId: string;
}

const ofTemplate = parent(["read", "create"], template, templateOf);
const free = arg<NewVersion>("create", inOrganization("template"));

export const templateversionsRules = {
  insertTemplateVersion: choose("template:create", ({ templateId }: NewVersion) =>
    templateId ? { ...ofTemplate, before: (call) => ofTemplate.before?.(call, { templateId }) } : free,
  ),
  getTemplateVersionById: view,
  getTemplateVersionByName: view,
  getPreviousTemplateVersion: view,
  getTemplateVersionsOfTemplate: parent("read", template, templateOf),
  updateTemplateVersion: update,
  attachTemplateVersion: update,
  unarchiveTemplateVersion: update,
  archiveTemplateVersions: parent("update", template, templateOf),
  getTemplateVersionParameters: below,
  getTemplateVersionVariables: below,
  getTemplateVersionExternalAuth: below,
} satisfies RulesOf<typeof templateversionsQueries>;
