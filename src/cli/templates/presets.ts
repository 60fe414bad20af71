import { contract } from "#codersdk/contract.ts";
import type { Preset } from "#codersdk/templateversions.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { orgOption } from "../organization.ts";
import { tableOutput } from "../output.ts";
import { connect } from "../session.ts";
import { getTemplate, getVersion } from "./find.ts";

const version = option(types.string, {
  flag: "template-version",
  description: "Version to look at. Default: the active one.",
});
const parameters = (preset: Preset): string =>
  preset.Parameters.map(({ Name, Value }) => `${Name}=${Value}`).join(",");
const columns = [
  { name: "name", cell: (preset: Preset) => preset.Name },
  { name: "description", cell: (preset: Preset) => preset.Description },
  { name: "parameters", cell: parameters },
  { name: "default", cell: (preset: Preset) => String(preset.Default) },
  {
    name: "desired prebuild instances",
    cell: (preset: Preset) => String(preset.DesiredPrebuildInstances ?? "-"),
  },
];
const output = tableOutput(
  columns,
  columns.map(({ name }) => name),
);

const list: Command = {
  use: "list <template>",
  aliases: ["ls"],
  short: "List the presets of a template.",
  options: [version, orgOption, ...output.options],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const template = await getTemplate(inv, client, inv.args[0] ?? "");
    const wanted = inv.get(version);
    const id =
      wanted === "" ? template.active_version_id : (await getVersion(inv, client, template, wanted)).id;
    const presets = await client.call(contract.templateversions.presets, {
      params: { templateversion: id },
      signal: inv.signal,
    });
    const json = presets.map((preset) => ({ TemplatePreset: preset }));
    output.print(inv, presets, json, "This version has no presets.");
  },
};

export const presetsCommand: Command = {
  use: "presets",
  aliases: ["preset"],
  short: "Look at presets: named sets of parameter values.",
  children: [list],
};
