import { ClientError } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { Template } from "#codersdk/templates.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { askParameter, readGiven } from "./askparameter.ts";
import { askText, choose } from "./cliui/prompt.ts";
import { UserError } from "./errors.ts";
import { parameterOptions, resolveParameters } from "./parameters.ts";
import { connect, type Session } from "./session.ts";
import { confirmUnlessYes, finish, noWait, yes } from "./transition.ts";
import { parseWorkspace } from "./workspaceref.ts";

const template = option(types.string, {
  flag: "template",
  shorthand: "t",
  env: "CODER_TEMPLATE_NAME",
  description: "Template to make the workspace from.",
});
const templateVersion = option(types.string, {
  flag: "template-version",
  env: "CODER_TEMPLATE_VERSION",
  description: "Version of the template. Default: its active one.",
});
const startAt = option(types.string, {
  flag: "start-at",
  env: "CODER_WORKSPACE_START_AT",
  description: "Cron schedule on which the workspace starts by itself.",
});
const stopAfter = option(types.duration, {
  flag: "stop-after",
  env: "CODER_WORKSPACE_STOP_AFTER",
  description: "How long after its start the workspace stops by itself.",
});
const automaticUpdates = option(types.oneOf("never", "always"), {
  flag: "automatic-updates",
  env: "CODER_WORKSPACE_AUTOMATIC_UPDATES",
  default: "never",
  description: "Whether a start takes the template's newest version.",
});

export const createCommand: Command = {
  use: "create [workspace]",
  short: "Create a workspace.",
  long: "  - Create a workspace for somebody else, if you may:\n\n       $ coder create <username>/<workspace>",
  options: [
    template,
    templateVersion,
    startAt,
    stopAfter,
    automaticUpdates,
    noWait,
    yes,
    ...Object.values(parameterOptions),
  ],
  args: { min: 0, max: 1 },
  async handler(inv) {
    const session = await connect(inv);
    const { client } = session;
    const { owner, name } = parseWorkspace(
      inv.args[0] ?? (await askText(inv, { text: "Specify a name for your workspace:" })),
    );
    await refuseExisting(inv, session, owner, name);
    const chosen = await pickTemplate(inv, session);
    const versionId = await pickVersion(inv, session, chosen);
    const parameters = await client.call(contract.templateversions.richParameters, {
      params: { templateversion: versionId },
      signal: inv.signal,
    });
    const values = await resolveParameters(
      {
        parameters,
        ...(await readGiven(inv)),
        last: [],
        isNew: true,
        useDefaults: inv.get(parameterOptions.useDefaults),
        alwaysPrompt: inv.get(parameterOptions.alwaysPrompt),
      },
      (parameter, suggested) => askParameter(inv, parameter, suggested),
    );
    await confirmUnlessYes(inv, "Confirm create?");
    const byVersion = inv.get(templateVersion) !== "";
    const workspace = await client.call(contract.workspaces.create, {
      params: { user: owner },
      body: {
        template_id: byVersion ? zeroUuid : chosen.id,
        template_version_id: byVersion ? versionId : zeroUuid,
        name,
        autostart_schedule: inv.get(startAt) || undefined,
        ttl_ms: inv.values.isSet(stopAfter) ? inv.get(stopAfter) : undefined,
        rich_parameter_values: values,
        automatic_updates: inv.get(automaticUpdates),
        template_version_preset_id: zeroUuid,
      },
      signal: inv.signal,
    });
    if (inv.get(noWait)) {
      inv.stdout.write(`The ${workspace.owner_name}/${workspace.name} workspace is being created.\n`);
      return;
    }
    await finish(inv, session, workspace.latest_build, "created");
  },
};

async function refuseExisting(
  inv: Invocation,
  { client }: Session,
  owner: string,
  name: string,
): Promise<void> {
  try {
    await client.call(contract.workspaces.getByName, {
      params: { user: owner, workspacename: name },
      signal: inv.signal,
    });
  } catch (error) {
    if (error instanceof ClientError && error.status === 404) return;
    throw error;
  }
  throw new UserError(`a workspace already exists named ${JSON.stringify(name)}`);
}

async function pickTemplate(inv: Invocation, { client }: Session): Promise<Template> {
  const wanted = inv.get(template);
  const q = wanted === "" ? "" : `exact_name:${JSON.stringify(wanted)}`;
  const found = await client.call(contract.templates.list, { query: { q }, signal: inv.signal });
  const [first] = found;
  if (!first) {
    throw new UserError(
      wanted === ""
        ? "there are no templates yet; push one with: coder templates push"
        : `template ${JSON.stringify(wanted)} not found`,
    );
  }
  if (wanted !== "" || found.length === 1) return first;
  const choices = found
    .toSorted((a, b) => b.active_user_count - a.active_user_count)
    .map((one) => ({
      label: `${one.name}${one.active_user_count > 0 ? ` (used by ${one.active_user_count})` : ""}`,
      value: one,
    }));
  return await choose(inv, { text: "Which template?", choices, flag: "--template" });
}

async function pickVersion(inv: Invocation, { client }: Session, chosen: Template): Promise<string> {
  const name = inv.get(templateVersion);
  if (name === "") return chosen.active_version_id;
  const params = { template: chosen.id, templateversionname: name };
  return (await client.call(contract.templates.versionByName, { params, signal: inv.signal })).id;
}
