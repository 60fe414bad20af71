/** `templates archive` and `templates versions archive|unarchive`: versions that nobody uses leave the lists. */
import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable } from "../cliui/table.ts";
import { orgOption } from "../organization.ts";
import { connect } from "../session.ts";
import { confirmUnlessYes, yes } from "../transition.ts";
import { getTemplate, getTemplates, getVersion } from "./find.ts";

const all = option(types.bool, {
  flag: "all",
  description: "Archive all unused versions; without it only those whose import failed.",
});

export const archiveTemplates: Command = {
  use: "archive [template-name...]",
  short: "Archive unused or failed versions of templates.",
  options: [yes, all, orgOption],
  async handler(inv) {
    const { client } = await connect(inv);
    const found = await getTemplates(inv, client, inv.args);
    const names = found.map(({ name }) => printable(name)).join(", ");
    await confirmUnlessYes(inv, `Archive ${inv.get(all) ? "unused" : "failed"} versions of ${names}?`, "no");
    for (const template of found) {
      const { archived_ids: ids } = await client.call(contract.templates.archiveVersions, {
        params: { template: template.id },
        body: { all: inv.get(all) },
        signal: inv.signal,
      });
      inv.stdout.write(`Archived ${(ids ?? []).length} versions from ${printable(template.name)}\n`);
    }
  },
};

function versionCommand(verb: "archive" | "unarchive", short: string): Command {
  return {
    use: `${verb} <template-name> [template-version-names...]`,
    short,
    options: [yes, orgOption],
    args: { min: 2, max: Number.POSITIVE_INFINITY },
    async handler(inv) {
      const { client } = await connect(inv);
      const [name = "", ...wanted] = inv.args;
      const template = await getTemplate(inv, client, name);
      const versions = await Promise.all(wanted.map((one) => getVersion(inv, client, template, one)));
      await confirmUnlessYes(inv, `${verb} ${wanted.map(printable).join(", ")} of ${printable(name)}?`, "no");
      const done = verb === "archive" ? "Archived" : "Unarchived";
      for (const version of versions) {
        if (version.archived === (verb === "archive")) {
          inv.stdout.write(`Version ${printable(version.name)} is already ${done.toLowerCase()}\n`);
          continue;
        }
        await client.call(
          verb === "archive" ? contract.templateversions.archive : contract.templateversions.unarchive,
          { params: { templateversion: version.id }, signal: inv.signal },
        );
        inv.stdout.write(`${done} version ${printable(version.name)}\n`);
      }
    },
  };
}

export const archiveVersions = versionCommand("archive", "Archive versions of a template by name.");
export const unarchiveVersions = versionCommand("unarchive", "Bring archived versions of a template back.");
