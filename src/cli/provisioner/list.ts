import { contract } from "#codersdk/contract.ts";
import { ProvisionerDaemon } from "#codersdk/provisionerdaemons.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { formatDuration } from "#util/duration.ts";
import { timeDisplay } from "../cliui/times.ts";
import { orgOption, pickOrganization } from "../organization.ts";
import { tableOutput, toJson } from "../output.ts";
import { connect } from "../session.ts";

interface Row {
  readonly daemon: ProvisionerDaemon;
  readonly organization: string;
}

/** `map[a:b c:d]`, as scripts know it. */
export const tagsCell = (tags: Readonly<Record<string, string>>): string =>
  `map[${Object.keys(tags)
    .toSorted()
    .map((name) => `${name}:${tags[name] ?? ""}`)
    .join(" ")}]`;

const output = tableOutput<Row>(
  [
    { name: "id", cell: ({ daemon }) => daemon.id },
    { name: "organization id", cell: ({ daemon }) => daemon.organization_id },
    { name: "created at", cell: ({ daemon }) => timeDisplay(daemon.created_at) },
    { name: "last seen at", cell: ({ daemon }) => timeDisplay(daemon.last_seen_at) },
    { name: "name", cell: ({ daemon }) => daemon.name },
    { name: "version", cell: ({ daemon }) => daemon.version },
    { name: "api version", cell: ({ daemon }) => daemon.api_version },
    { name: "tags", cell: ({ daemon }) => tagsCell(daemon.tags) },
    { name: "key name", cell: ({ daemon }) => daemon.key_name ?? "" },
    { name: "status", cell: ({ daemon }) => daemon.status ?? "" },
    { name: "current job id", cell: ({ daemon }) => daemon.current_job?.id ?? "" },
    { name: "current job status", cell: ({ daemon }) => daemon.current_job?.status ?? "" },
    { name: "current job template name", cell: ({ daemon }) => daemon.current_job?.template_name ?? "" },
    { name: "current job template icon", cell: ({ daemon }) => daemon.current_job?.template_icon ?? "" },
    {
      name: "current job template display name",
      cell: ({ daemon }) => daemon.current_job?.template_display_name ?? "",
    },
    { name: "previous job id", cell: ({ daemon }) => daemon.previous_job?.id ?? "" },
    { name: "previous job status", cell: ({ daemon }) => daemon.previous_job?.status ?? "" },
    { name: "previous job template name", cell: ({ daemon }) => daemon.previous_job?.template_name ?? "" },
    { name: "previous job template icon", cell: ({ daemon }) => daemon.previous_job?.template_icon ?? "" },
    {
      name: "previous job template display name",
      cell: ({ daemon }) => daemon.previous_job?.template_display_name ?? "",
    },
    { name: "organization", cell: ({ organization }) => organization },
  ],
  ["created at", "last seen at", "key name", "name", "version", "status", "tags"],
);

const limit = option(types.int, {
  flag: "limit",
  shorthand: "l",
  env: "CODER_PROVISIONER_LIST_LIMIT",
  default: "50",
  description: "How many to show.",
});
const showOffline = option(types.bool, {
  flag: "show-offline",
  shorthand: "f",
  env: "CODER_PROVISIONER_SHOW_OFFLINE",
  description: "Show daemons that are not connected too.",
});
const status = option(types.someOf("offline", "idle", "busy"), {
  flag: "status",
  shorthand: "s",
  env: "CODER_PROVISIONER_LIST_STATUS",
  description: "Only daemons in one of these states.",
});
const maxAge = option(types.duration, {
  flag: "max-age",
  shorthand: "m",
  env: "CODER_PROVISIONER_LIST_MAX_AGE",
  description: "Only daemons that were seen within this time.",
});

export const listDaemons: Command = {
  use: "list",
  aliases: ["ls"],
  short: "List provisioner daemons.",
  options: [limit, showOffline, status, maxAge, orgOption, ...output.options],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const organization = await pickOrganization(inv, client);
    const states = inv.get(status);
    const daemons = await client.call(contract.provisionerdaemons.list, {
      params: { organization: organization.id },
      query: {
        limit: inv.get(limit),
        ...(states.length > 0 ? { status: states.join(",") } : {}),
        ...(inv.get(showOffline) ? { offline: "true" } : {}),
        ...(inv.values.isSet(maxAge) ? { max_age: formatDuration(inv.get(maxAge)) } : {}),
      },
      signal: inv.signal,
    });
    const rows = daemons.map((daemon) => ({ daemon, organization: organization.name }));
    const json = daemons.map((daemon) => ({
      ...Object(toJson(ProvisionerDaemon, daemon)),
      organization_name: organization.name,
    }));
    output.print(inv, rows, json, "No provisioners found.");
  },
};
