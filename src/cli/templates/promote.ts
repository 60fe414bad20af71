import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable } from "../cliui/table.ts";
import { orgOption } from "../organization.ts";
import { connect } from "../session.ts";
import { getTemplate, getVersion } from "./find.ts";

const template = option(types.string, {
  flag: "template",
  shorthand: "t",
  env: "CODER_TEMPLATE_NAME",
  required: true,
  description: "Template whose version it is.",
});
const version = option(types.string, {
  flag: "template-version",
  env: "CODER_TEMPLATE_VERSION_NAME",
  required: true,
  description: "Version that new builds shall take.",
});

export const promoteVersion: Command = {
  use: "promote --template=<template_name> --template-version=<template_version_name>",
  short: "Make a version the active one of its template.",
  options: [template, version, orgOption],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const found = await getTemplate(inv, client, inv.get(template));
    const { id, name } = await getVersion(inv, client, found, inv.get(version));
    await client.call(contract.templates.promote, {
      params: { template: found.id },
      body: { id },
      signal: inv.signal,
    });
    inv.stdout.write(
      `Successfully promoted version ${JSON.stringify(printable(name))} of ${printable(found.name)}\n`,
    );
  },
};
