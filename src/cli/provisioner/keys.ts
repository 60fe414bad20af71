import { contract } from "#codersdk/contract.ts";
import { ProvisionerKey } from "#codersdk/provisionerkeys.ts";
import * as w from "#codersdk/wire.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { timeDisplay } from "../cliui/times.ts";
import { orgOption, pickOrganization } from "../organization.ts";
import { tableOutput, toJson } from "../output.ts";
import { parsePairs } from "../parameters.ts";
import { connect } from "../session.ts";
import { confirmUnlessYes, yes } from "../transition.ts";

const tag = option(types.strings, {
  flag: "tag",
  shorthand: "t",
  env: "CODER_PROVISIONERD_TAGS",
  description: "Tag (key=value) of the daemons that use the key.",
});
const tagsText = (tags: Readonly<Record<string, string>>): string =>
  Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

const output = tableOutput<ProvisionerKey>(
  [
    { name: "created at", cell: (one) => timeDisplay(one.created_at) },
    { name: "name", cell: (one) => one.name },
    { name: "tags", cell: (one) => tagsText(one.tags) },
  ],
  ["created at", "name", "tags"],
);

const create: Command = {
  use: "create <name>",
  short: "Make a key for external daemons; it is shown once.",
  options: [tag, orgOption],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const organization = await pickOrganization(inv, client);
    const tags = Object.fromEntries(parsePairs(inv.get(tag)).map((pair) => [pair.name, pair.value]));
    const name = inv.args[0] ?? "";
    const { key } = await client.call(contract.provisionerkeys.create, {
      params: { organization: organization.id },
      body: { name, tags },
      signal: inv.signal,
    });
    inv.stderr.write(
      `Made the key ${JSON.stringify(name)}. It is not shown again; start a daemon with it:\n\n    coder provisioner start --key <key>\n\n`,
    );
    inv.stdout.write(`${key}\n`);
  },
};

const list: Command = {
  use: "list",
  aliases: ["ls"],
  short: "List provisioner keys.",
  options: [orgOption, ...output.options],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const organization = await pickOrganization(inv, client);
    const keys = await client.call(contract.provisionerkeys.list, {
      params: { organization: organization.id },
      signal: inv.signal,
    });
    output.print(inv, keys, toJson(w.list(ProvisionerKey), keys), "No provisioner keys found");
  },
};

const remove: Command = {
  use: "delete <name>",
  aliases: ["rm"],
  short: "Delete a provisioner key; its daemons lose their connection.",
  options: [yes, orgOption],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const organization = await pickOrganization(inv, client);
    const provisionerkey = inv.args[0] ?? "";
    await confirmUnlessYes(inv, `Delete the provisioner key ${JSON.stringify(provisionerkey)}?`, "no");
    await client.call(contract.provisionerkeys.remove, {
      params: { organization: organization.id, provisionerkey },
      signal: inv.signal,
    });
    inv.stdout.write(`Deleted the provisioner key ${JSON.stringify(provisionerkey)}.\n`);
  },
};

export const keysCommand: Command = {
  use: "keys",
  aliases: ["key"],
  short: "Manage keys of external provisioner daemons.",
  children: [create, list, remove],
};
