/** From a name to a connection with its agent: find, start if it is stopped, wait, dial. Shared by ssh and ping. */
import { ClientError } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceAgent } from "#codersdk/workspaceagents.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type { AgentConn } from "#codersdk/workspacesdk/dial.ts";
import type { Invocation } from "#serpent/command.ts";
import { discardLogger, type Logger, pinoLogger } from "#slog/slog.ts";
import { waitForAgent, type WaitOptions } from "./agentwait.ts";
import { followBuild } from "./builds.ts";
import { newProgress } from "./cliui/progress.ts";
import { printable } from "./cliui/table.ts";
import { UserError } from "./errors.ts";
import { globals } from "./globals.ts";
import type { Session } from "./session.ts";
import { createBuild } from "./transition.ts";
import { pickAgent, type SshTarget } from "./workspaceref.ts";

export interface Found {
  readonly workspace: Workspace;
  readonly agent: WorkspaceAgent;
}

const attempts = 10;
const attemptMs = 2_000;

/** A restarting server or a network that is not up yet (a laptop that wakes up) is waited for. */
async function withRetries<T>(inv: Invocation, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const passing =
        error instanceof ClientError
          ? error.status >= 500
          : error instanceof TypeError && error.message === "fetch failed";
      if (!passing || attempt === attempts) throw error;
      if (attempt === 1) inv.stderr.write("The server does not answer yet; trying again…\n");
      await inv.clock.sleep(attemptMs, { signal: inv.signal });
    }
  }
}

export async function findAgent(
  inv: Invocation,
  session: Session,
  target: SshTarget,
  options: { readonly autostart: boolean },
): Promise<Found> {
  const { client } = session;
  const params = { user: target.owner, workspacename: target.name };
  const get = (): Promise<Workspace> =>
    client.call(contract.workspaces.getByName, { params, signal: inv.signal });
  let workspace = await withRetries(inv, get);
  const { status } = workspace.latest_build;
  if (status === "stopped" && options.autostart) {
    inv.stderr.write(
      `Workspace was stopped, starting workspace to allow connecting to ${JSON.stringify(workspace.name)}.\n`,
    );
    await startForConnection(inv, session, workspace);
    workspace = await get();
  } else if (status === "pending" || status === "starting") {
    await followBuild(inv, session, workspace.latest_build, inv.stderr);
    workspace = await get();
  } else if (status !== "running") {
    throw new UserError(
      `workspace ${JSON.stringify(workspace.name)} is ${status}; start it with: coder start ${printable(workspace.name)}`,
    );
  }
  if (workspace.outdated) {
    inv.stderr.write(
      inv.stderr.isTTY
        ? `This workspace is outdated; update it with: coder update ${printable(workspace.name)}\n`
        : "",
    );
  }
  return { workspace, agent: pickAgent(workspace, target.agent) };
}

async function startForConnection(inv: Invocation, session: Session, workspace: Workspace): Promise<void> {
  const wish = (templateVersionId: string) =>
    createBuild(session, workspace, { transition: "start", templateVersionId, reason: "ssh_connection" });
  try {
    await followBuild(inv, session, await wish(workspace.latest_build.template_version_id), inv.stderr);
  } catch (error) {
    // The template requires its active version.
    if (!(error instanceof ClientError) || error.status !== 403) throw error;
    await followBuild(inv, session, await wish(workspace.template_active_version_id), inv.stderr);
  }
}

/** `log` gets what goes on in the tunnel; without it that is shown with --verbose. */
export async function dial(
  inv: Invocation,
  session: Session,
  agentId: string,
  log?: Logger,
): Promise<AgentConn> {
  const { dialAgent } = await import("#codersdk/workspacesdk/dial.ts");
  const { client, headers } = session;
  return await dialAgent({
    url: client.url,
    token: client.token ?? "",
    headers,
    agentId,
    clock: inv.clock,
    rand: inv.rand,
    log: log ?? (inv.get(globals.verbose) ? pinoLogger({ level: "debug" }) : discardLogger),
    signal: inv.signal,
  });
}

/** The agent's connection is dialled while its scripts are waited for: neither needs the other. */
export async function waitAndDial(
  inv: Invocation,
  session: Session,
  { agent }: Found,
  options: WaitOptions,
  log?: Logger,
): Promise<AgentConn> {
  const dialing = dial(inv, session, agent.id, log);
  // While scripts are waited for nobody looks at it yet.
  dialing.catch(() => {});
  try {
    await waitForAgent(inv, session, agent, options);
  } catch (error) {
    dialing.then((conn) => conn[Symbol.asyncDispose]()).catch(() => {});
    throw error;
  }
  using _wait = newProgress(inv).wait("Connecting to the workspace");
  return await dialing;
}
