/** How a command line names workspaces, agents and organizations, and how the names become rows. */
import type { Client } from "#codersdk/client.ts";
import { ClientError } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { parseUuid } from "#codersdk/uuid.ts";
import type { WorkspaceAgent } from "#codersdk/workspaceagents.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { UserError } from "./errors.ts";

export interface WorkspaceRef {
  readonly owner: string;
  readonly name: string;
}

/** `name`, `owner/name` or `owner--name`. */
export function parseWorkspace(text: string): WorkspaceRef {
  const parts = text.split(/\/|--/);
  const [first = "", second] = parts;
  if (parts.length > 2 || first === "" || second === "") {
    throw new UserError(`a workspace is given as name or owner/name: received ${JSON.stringify(text)}`);
  }
  return second === undefined ? { owner: "me", name: first } : { owner: first, name: second };
}

/** By id where the text is one, else by owner and name. */
export async function getWorkspace(client: Client, text: string, signal?: AbortSignal): Promise<Workspace> {
  const id = parseUuid(text);
  if (id !== undefined) {
    try {
      return await client.call(contract.workspaces.get, { params: { workspace: id }, signal });
    } catch (error) {
      if (!(error instanceof ClientError) || error.status !== 404) throw error;
    }
  }
  const { owner, name } = parseWorkspace(text);
  return await client.call(contract.workspaces.getByName, {
    params: { user: owner, workspacename: name },
    signal,
  });
}

export interface SshTarget extends WorkspaceRef {
  readonly agent: string | undefined;
}

/**
 * The forms that ssh configurations make: `workspace`, `workspace.agent`, `owner/workspace`, `owner--workspace`,
 * `owner/workspace.agent`, and `agent.workspace.owner` where dots are all there is.
 */
export function parseSshTarget(host: string, options: { prefix?: string; suffix?: string } = {}): SshTarget {
  let text = host;
  if (options.prefix && text.startsWith(options.prefix)) text = text.slice(options.prefix.length);
  if (options.suffix && text.endsWith(`.${options.suffix}`)) text = text.slice(0, -options.suffix.length - 1);
  const parts = text.split(/\/|\.|--/);
  const [a = "", b = "", c = ""] = parts;
  if (parts.includes("") || parts.length > 3) {
    throw new UserError(
      `a workspace is given as [owner/]workspace[.agent]: received ${JSON.stringify(host)}`,
    );
  }
  if (parts.length === 1) return { owner: "me", name: a, agent: undefined };
  if (parts.length === 2) {
    return text.includes(".") ? { owner: "me", name: a, agent: b } : { owner: a, name: b, agent: undefined };
  }
  const onlyDots = !text.includes("/") && !text.includes("--");
  return onlyDots ? { owner: c, name: b, agent: a } : { owner: a, name: b, agent: c };
}

/** The agent of that name, or the only one. */
export function pickAgent(workspace: Workspace, name: string | undefined): WorkspaceAgent {
  const agents = workspace.latest_build.resources.flatMap((resource) => resource.agents ?? []);
  const names = agents.map((agent) => agent.name).toSorted();
  if (agents.length === 0) throw new UserError(`workspace ${JSON.stringify(workspace.name)} has no agents`);
  const [only] = agents;
  if (name === undefined) {
    if (agents.length > 1 || !only) {
      throw new UserError(
        `multiple agents found, please specify the agent name, available agents: [${names.join(" ")}]`,
      );
    }
    return only;
  }
  const found = agents.find((agent) => agent.name.toLowerCase() === name.toLowerCase());
  if (!found) {
    throw new UserError(
      `agent not found by name ${JSON.stringify(name)}, available agents: [${names.join(" ")}]`,
    );
  }
  return found;
}
