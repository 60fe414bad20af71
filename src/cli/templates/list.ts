import { contract } from "#codersdk/contract.ts";
import { Template } from "#codersdk/templates.ts";
import { TemplateVersion } from "#codersdk/templateversions.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { formatDuration } from "#util/duration.ts";
import { timeDisplay } from "../cliui/times.ts";
import { orgOption, pickOrganization } from "../organization.ts";
import { tableOutput, toJson } from "../output.ts";
import { connect } from "../session.ts";

const templateOutput = tableOutput<Template>(
  [
    { name: "name", cell: (one) => one.name },
    { name: "created at", cell: (one) => timeDisplay(one.created_at) },
    { name: "last updated", cell: (one) => timeDisplay(one.updated_at) },
    { name: "organization id", cell: (one) => one.organization_id },
    { name: "organization name", cell: (one) => one.organization_name },
    { name: "provisioner", cell: (one) => one.provisioner },
    { name: "active version id", cell: (one) => one.active_version_id },
    {
      name: "used by",
      cell: ({ active_user_count: count }) =>
        count < 0 ? "" : `${count} developer${count === 1 ? "" : "s"}`,
    },
    { name: "default ttl", cell: (one) => formatDuration(one.default_ttl_ms) },
  ],
  ["name", "organization name", "last updated", "used by"],
);

export const listTemplates: Command = {
  use: "list",
  aliases: ["ls"],
  short: "List templates.",
  options: templateOutput.options,
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const templates = await client.call(contract.templates.list, { query: { q: "" }, signal: inv.signal });
    const json = templates.map((one) => ({ Template: toJson(Template, one) }));
    templateOutput.print(inv, templates, json, "No templates found! Make one with: coder templates push");
  },
};

interface VersionRow {
  readonly version: TemplateVersion;
  readonly active: boolean;
}

const versionOutput = tableOutput<VersionRow>(
  [
    { name: "id", cell: ({ version }) => version.id },
    { name: "name", cell: ({ version }) => version.name },
    { name: "created at", cell: ({ version }) => timeDisplay(version.created_at) },
    { name: "created by", cell: ({ version }) => version.created_by.username },
    {
      name: "status",
      cell: ({ version }) => version.job.status.replace(/^./, (first) => first.toUpperCase()),
    },
    { name: "active", cell: ({ active }) => (active ? "Active" : "") },
    { name: "archived", cell: ({ version }) => (version.archived ? "Archived" : "") },
  ],
  ["name", "created at", "created by", "status", "active"],
);
const includeArchived = option(types.bool, {
  flag: "include-archived",
  description: "Show archived versions too.",
});

export const listVersions: Command = {
  use: "list <template>",
  aliases: ["ls"],
  short: "List versions of a template.",
  options: [includeArchived, orgOption, ...versionOutput.options],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const organization = await pickOrganization(inv, client);
    const params = { organization: organization.id, templatename: inv.args[0] ?? "" };
    const template = await client.call(contract.templates.getByName, { params, signal: inv.signal });
    const query = inv.get(includeArchived) ? { include_archived: true } : {};
    const versions = await client.call(contract.templates.versions, {
      params: { template: template.id },
      query,
      signal: inv.signal,
    });
    const rows = versions
      .map((version) => ({ version, active: version.id === template.active_version_id }))
      .toSorted((a, b) => b.version.created_at.getTime() - a.version.created_at.getTime());
    const json = rows.map(({ version, active }) => ({
      TemplateVersion: toJson(TemplateVersion, version),
      active,
    }));
    versionOutput.print(inv, rows, json, "This template has no versions.");
  },
};
