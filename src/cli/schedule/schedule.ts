/** `coder schedule`: when a workspace starts and stops by itself. */
import { contract } from "#codersdk/contract.ts";
import type { Client } from "#codersdk/client.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { parseDuration } from "#util/duration.ts";
import { renderTable } from "../cliui/table.ts";
import { UserError } from "../errors.ts";
import { tableOutput } from "../output.ts";
import { connect } from "../session.ts";
import { getWorkspace, parseWorkspace } from "../workspaceref.ts";
import { workspaceColumns, type WorkspaceRow } from "../workspaceview.ts";
import { minutesOrDuration, parseStart } from "./parse.ts";

const shown = ["workspace", "starts at", "starts next", "stops after", "stops next"];
const columns = workspaceColumns.filter(({ name }) => shown.includes(name));
const output = tableOutput<WorkspaceRow>(columns, shown);

const all = option(types.bool, {
  flag: "all",
  shorthand: "a",
  description: "Show everybody's workspaces that you may see.",
});
const search = option(types.string, {
  flag: "search",
  default: "owner:me",
  description: "Which workspaces to show, as in the dashboard's search field.",
});

/** The table's row under the names of JSON. */
function toJson(row: WorkspaceRow): Record<string, string> {
  const cells = columns.map(({ name, cell }) => [name.replaceAll(" ", "_"), cell(row).replace(/^★ /, "")]);
  return Object.fromEntries(cells);
}

const show: Command = {
  use: "show <workspace | --search <query> | --all>",
  short: "Show the schedules of workspaces.",
  options: [all, search, ...output.options],
  args: { min: 0, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const [text] = inv.args;
    const given = inv.get(all) && !inv.values.isSet(search) ? "" : inv.get(search);
    const ref = text === undefined ? undefined : parseWorkspace(text);
    const q = ref ? `owner:${ref.owner} name:${ref.name}` : given;
    const { workspaces } = await client.call(contract.workspaces.list, { query: { q }, signal: inv.signal });
    // The server's search finds parts of names.
    const found = ref ? workspaces.filter(({ name }) => name === ref.name) : workspaces;
    if (ref && found.length === 0) throw new UserError(`there is no workspace ${JSON.stringify(text)}`);
    const rows = found.map((workspace) => ({ workspace, now: inv.clock.now() }));
    output.print(inv, rows, rows.map(toJson), "No workspaces found.");
  },
};

/** The schedule as it is now. */
async function printSchedule(inv: Invocation, client: Client, id: string): Promise<void> {
  const workspace = await client.call(contract.workspaces.get, {
    params: { workspace: id },
    signal: inv.signal,
  });
  inv.stdout.write(renderTable([{ workspace, now: inv.clock.now() }], columns, shown));
}

async function scheduled(inv: Invocation): Promise<{ client: Client; workspace: Workspace }> {
  const { client } = await connect(inv);
  return { client, workspace: await getWorkspace(client, inv.args[0] ?? "", inv.signal) };
}

function localZone(inv: Invocation): string {
  return inv.env["TZ"] || new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

const start: Command = {
  use: "start <workspace-name> { <start-time> [day-of-week] [location] | manual }",
  short: "Set when a workspace starts by itself.",
  long: "  - At 9:30 on working days, Dublin's time:\n\n       $ coder schedule start <workspace> 9:30AM Mon-Fri Europe/Dublin\n\n  - By hand only:\n\n       $ coder schedule start <workspace> manual",
  args: { min: 2, max: 4 },
  async handler(inv) {
    const words = inv.args.slice(1);
    const manual = words.length === 1 && words[0] === "manual";
    const schedule = manual ? undefined : parseStart(words, localZone(inv));
    const { client, workspace } = await scheduled(inv);
    if (schedule !== undefined) {
      const template = await client.call(contract.templates.get, {
        params: { template: workspace.template_id },
        signal: inv.signal,
      });
      const days = template.autostart_requirement.days_of_week;
      if (days.length < 7) {
        inv.stderr.write(
          `WARN: workspaces of this template start by themselves on these days only\r\n  | ${days.join(", ") || "none"}\r\n`,
        );
      }
    }
    await client.call(contract.workspaces.setAutostart, {
      params: { workspace: workspace.id },
      body: { schedule },
      signal: inv.signal,
    });
    await printSchedule(inv, client, workspace.id);
  },
};

const stop: Command = {
  use: "stop <workspace-name> { <duration> | manual }",
  short: "Set how long after its start a workspace stops by itself.",
  long: "  - After eight hours:\n\n       $ coder schedule stop <workspace> 8h",
  args: { min: 2, max: 2 },
  async handler(inv) {
    const text = inv.args[1] ?? "";
    const ttl = text === "manual" ? null : minutesOrDuration(text, parseDuration);
    const { client, workspace } = await scheduled(inv);
    await client.call(contract.workspaces.setTtl, {
      params: { workspace: workspace.id },
      body: { ttl_ms: ttl },
      signal: inv.signal,
    });
    await printSchedule(inv, client, workspace.id);
  },
};

/** A stop that is nearer would be refused by the server: it leaves at least half an hour. */
const leastMs = 29 * 60_000;

const extend: Command = {
  use: "extend <workspace-name> <duration from now>",
  aliases: ["override-stop"],
  short: "Let a running workspace stop later, or earlier, this once.",
  long: "  - In ninety minutes from now:\n\n       $ coder schedule extend <workspace> 90m",
  args: { min: 2, max: 2 },
  async handler(inv) {
    const ms = minutesOrDuration(inv.args[1] ?? "", parseDuration);
    if (ms < leastMs) {
      inv.stdout.write("Please specify a duration of at least 30 minutes.\n");
      return;
    }
    const { client, workspace } = await scheduled(inv);
    await client.call(contract.workspaces.extend, {
      params: { workspace: workspace.id },
      body: { deadline: new Date(inv.clock.now().getTime() + ms) },
      signal: inv.signal,
    });
    await printSchedule(inv, client, workspace.id);
  },
};

export const scheduleCommand: Command = {
  use: "schedule { show | start | stop | extend } <workspace>",
  short: "Set when workspaces start and stop by themselves.",
  children: [show, start, stop, extend],
};
