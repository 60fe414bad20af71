import { completeWorkspace } from "./completeworkspace.ts";
import type { WorkspaceAgent } from "#codersdk/workspaceagents.ts";
import { Workspace } from "#codersdk/workspaces.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable, renderJson, renderTable } from "./cliui/table.ts";
import { durationDisplay } from "./cliui/times.ts";
import { toJson } from "./output.ts";
import { connect } from "./session.ts";
import { displayStatus } from "./workspaceview.ts";
import { getWorkspace } from "./workspaceref.ts";

const output = option(types.oneOf("text", "json"), {
  flag: "output",
  shorthand: "o",
  default: "text",
  description: "Output format.",
});

export const showCommand: Command = {
  use: "show <workspace>",
  complete: completeWorkspace,
  short: "Show a workspace's resources and agents.",
  options: [output],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const workspace = await getWorkspace(client, inv.args[0] ?? "", inv.signal);
    if (inv.get(output) === "json") {
      inv.stdout.write(renderJson(toJson(Workspace, workspace)));
      return;
    }
    inv.stdout.write(
      `${title(workspace, inv.clock.now())}\n${renderTable(rows(workspace, inv.clock.now()), columns, names)}`,
    );
  },
};

function title(workspace: Workspace, now: Date): string {
  const build = workspace.latest_build;
  const since = durationDisplay(now.getTime() - (build.job.completed_at ?? build.created_at).getTime());
  const name = `${workspace.owner_name}/${workspace.name}`;
  return printable(
    `${name} (${displayStatus(build).toLowerCase()} since ${since}) ${workspace.template_name}:${build.template_version_name}`,
  );
}

interface Row {
  readonly resource: string;
  readonly status: string;
  readonly health: string;
  readonly version: string;
  readonly access: string;
}

const columns = (["resource", "status", "health", "version", "access"] as const).map((name) => ({
  name,
  cell: (row: Row) => row[name],
}));
const names = columns.map(({ name }) => name);

function rows(workspace: Workspace, now: Date): Row[] {
  const resources = workspace.latest_build.resources.filter(
    (one) => !one.hide && one.type !== "random_string",
  );
  const several = resources.flatMap((one) => one.agents ?? []).length > 1;
  return resources.flatMap((resource) => {
    const agents = resource.agents ?? [];
    const head = {
      resource: `${resource.type}.${resource.name}`,
      status: "",
      health: "",
      version: "",
      access: "",
    };
    return [
      head,
      ...agents.map((agent, at) =>
        agentRow(workspace, agent, { now, several, last: at === agents.length - 1 }),
      ),
    ];
  });
}

function agentRow(
  workspace: Workspace,
  agent: WorkspaceAgent,
  { now, several, last }: { now: Date; several: boolean; last: boolean },
): Row {
  return {
    resource: `${last ? "└─" : "├─"} ${agent.name} (${agent.operating_system}, ${agent.architecture})`,
    status: agentStatus(agent, now),
    health: agent.health.healthy ? "✔ healthy" : `✘ ${agent.health.reason ?? "unhealthy"}`,
    version: agent.version,
    access: `coder ssh ${workspace.name}${several ? `.${agent.name}` : ""}`,
  };
}

function agentStatus(agent: WorkspaceAgent, now: Date): string {
  const since = (at: Date | undefined): string =>
    at ? ` [${durationDisplay(now.getTime() - at.getTime())}]` : "";
  switch (agent.status) {
    case "connected":
      return "⦿ connected";
    case "disconnected":
      return `⦾ disconnected${since(agent.disconnected_at)}`;
    case "timeout":
      return "⦾ timeout";
    case "connecting":
      return `⦾ connecting${since(agent.created_at)}`;
    default:
      return "";
  }
}
