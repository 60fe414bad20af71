import { completeWorkspace } from "./completeworkspace.ts";
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import * as w from "#codersdk/wire.ts";
import { ProvisionerJobLog } from "#codersdk/provisionerjobs.ts";
import { WorkspaceAgentLog } from "#codersdk/workspaceagents.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable } from "./cliui/table.ts";
import { UserError } from "./errors.ts";
import { connect, type Session } from "./session.ts";
import { getWorkspace } from "./workspaceref.ts";

const buildNumber = option(types.int, {
  flag: "build-number",
  shorthand: "n",
  default: "0",
  description: "Build to show the log of. 0: the latest; negative: so many before it.",
});
const follow = option(types.bool, {
  flag: "follow",
  shorthand: "f",
  description: "Go on until interrupted.",
});

interface Line {
  readonly at: Date;
  readonly source: string;
  readonly text: string;
}

export const logsCommand: Command = {
  use: "logs <workspace>",
  complete: completeWorkspace,
  short: "Show the log of a workspace's build and of its agents.",
  options: [buildNumber, follow],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const session = await connect(inv);
    const workspace = await getWorkspace(session.client, inv.args[0] ?? "", inv.signal);
    const build = await pickBuild(inv, session, workspace);
    const show = (line: Line): void => {
      inv.stdout.write(`${line.at.toISOString()} [${printable(line.source)}] ${printable(line.text)}\n`);
    };
    const isLatest = build.id === workspace.latest_build.id;
    const agents = isLatest ? build.resources.flatMap((resource) => resource.agents ?? []) : [];
    if (inv.get(follow)) {
      await Promise.all([
        followBuildLog(inv, session, build, show),
        ...agents.map((agent) => followAgentLog(inv, session, agent, show)),
      ]);
      return;
    }
    const lines = [
      ...(await buildLines(inv, session, build)),
      ...(await Promise.all(agents.map((agent) => agentLines(inv, session, agent)))).flat(),
    ];
    lines.toSorted((a, b) => a.at.getTime() - b.at.getTime()).forEach(show);
  },
};

async function pickBuild(
  inv: Invocation,
  { client }: Session,
  workspace: Workspace,
): Promise<WorkspaceBuild> {
  const wanted = inv.get(buildNumber);
  if (wanted === 0) return workspace.latest_build;
  const number = wanted > 0 ? wanted : workspace.latest_build.build_number + wanted;
  if (number < 1) throw new UserError(`there is no build ${number} of ${workspace.name}`);
  const params = { user: workspace.owner_name, workspacename: workspace.name, buildnumber: String(number) };
  return await client.call(contract.workspaces.buildByNumber, { params, signal: inv.signal });
}

const buildLine = (log: ProvisionerJobLog): Line => ({
  at: log.created_at,
  source: log.stage,
  text: log.output,
});
const agentLine = (name: string, log: WorkspaceAgentLog): Line => ({
  at: log.created_at,
  source: name,
  text: log.output,
});

async function buildLines(inv: Invocation, { client }: Session, build: WorkspaceBuild): Promise<Line[]> {
  const params = { workspacebuild: build.id };
  return (await client.call(contract.workspacebuilds.logs, { params, signal: inv.signal })).map(buildLine);
}

interface NamedAgent {
  readonly id: string;
  readonly name: string;
}

async function agentLines(inv: Invocation, { client }: Session, agent: NamedAgent): Promise<Line[]> {
  const params = { workspaceagent: agent.id };
  const logs = await client.call(contract.workspaceagents.logs, { params, signal: inv.signal });
  return logs.map((log) => agentLine(`agent.${agent.name}`, log));
}

async function followBuildLog(
  inv: Invocation,
  { client }: Session,
  build: WorkspaceBuild,
  show: (line: Line) => void,
): Promise<void> {
  const input = {
    params: { workspacebuild: build.id },
    query: { follow: true, after: 0 },
    signal: inv.signal,
  };
  for await (const log of client.stream(contract.workspacebuilds.logs, ProvisionerJobLog, input)) {
    show(buildLine(log));
  }
}

async function followAgentLog(
  inv: Invocation,
  { client }: Session,
  agent: NamedAgent,
  show: (line: Line) => void,
): Promise<void> {
  const input = {
    params: { workspaceagent: agent.id },
    query: { follow: true, after: 0 },
    signal: inv.signal,
  };
  for await (const logs of client.stream(contract.workspaceagents.logs, w.list(WorkspaceAgentLog), input)) {
    for (const log of logs) show(agentLine(`agent.${agent.name}`, log));
  }
}
