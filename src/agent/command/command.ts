/**
 * What runs when somebody asks for a command in the workspace: argv, environment, directory. ssh, terminals, scripts
 * and metadata all go through `buildCommand`, so that they cannot differ (spec agent §7). Pure.
 */
import { existsSync } from "node:fs";
import { expandVariables } from "./expand.ts";
import { shellWords } from "./shell-words.ts";
import type { AgentUser } from "./user.ts";

/** Facts of the manifest that shells see. */
export interface WorkspaceFacts {
  readonly agentName: string;
  readonly workspaceName: string;
  readonly workspaceId: string;
  readonly ownerName: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Expanded; may not exist. Empty = home. */
  readonly directory: string;
  readonly vscodeProxyUri: string;
  /** Secrets of the owner by the name of the variable. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Facts of this process. */
export interface AgentFacts {
  /** The environment that the agent started with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly user: AgentUser;
  readonly token: string;
  /** The `coder` program, for git's helpers. */
  readonly binary: string;
  /** In front of PATH; empty before there are scripts. */
  readonly scriptBinDir: string;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface CommandRequest {
  /** Empty = the login shell. */
  readonly text: string;
  /** Variables that the ssh client sent. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables on top of everything: TERM, script directories. */
  readonly extra?: Readonly<Record<string, string>>;
}

export function buildCommand(request: CommandRequest, workspace: WorkspaceFacts, agent: AgentFacts): Command {
  const [file, ...args] = commandLine(request.text, agent.user.shell);
  return {
    file,
    args,
    env: { ...environment(request.env ?? {}, workspace, agent), ...request.extra },
    cwd: directory(workspace.directory, agent.user.home),
  };
}

function commandLine(text: string, shell: string): [string, ...string[]] {
  const trimmed = text.trimStart();
  if (text === "") return [shell, "-l"];
  if (trimmed.startsWith("#!")) {
    const line = trimmed.slice(2).split("\n", 1)[0] ?? "";
    const [interpreter, ...args] = shellWords(line) ?? [];
    if (interpreter) return [interpreter, ...args, "-c", trimmed];
  }
  return [shell, "-c", text];
}

function environment(
  requested: Readonly<Record<string, string>>,
  workspace: WorkspaceFacts,
  agent: AgentFacts,
): Record<string, string> {
  const { user } = agent;
  const current: Record<string, string> = {};
  for (const [name, value] of Object.entries(agent.env)) if (value !== undefined) current[name] = value;
  Object.assign(current, requested, { USER: user.name, LOGNAME: user.name, SHELL: user.shell });
  const fixed: Record<string, string> = {
    CODER: "true",
    CODER_WORKSPACE_NAME: workspace.workspaceName,
    CODER_WORKSPACE_AGENT_NAME: workspace.agentName,
    CODER_WORKSPACE_OWNER_NAME: workspace.ownerName,
    CODER_WORKSPACE_ID: workspace.workspaceId,
    CODER_AGENT_TOKEN: agent.token,
    GIT_SSH_COMMAND: `${quoted(agent.binary)} gitssh --`,
    CS_DISABLE_GETTING_STARTED_OVERRIDE: "true",
  };
  if (workspace.vscodeProxyUri !== "") fixed["VSCODE_PROXY_URI"] = workspace.vscodeProxyUri;
  const template: Record<string, string> = {};
  for (const [name, value] of Object.entries(workspace.environment)) {
    template[name] = expandVariables(value, agent.env);
  }
  const env: Record<string, string> = {
    HOME: user.home,
    ...current,
    ...fixed,
    ...template,
    ...workspace.secrets,
    GIT_ASKPASS: agent.binary,
    // VS Code looks for these two; the addresses mean nothing inside the tunnel.
    SSH_CLIENT: "0.0.0.0 0 0",
    SSH_CONNECTION: "0.0.0.0 0 0.0.0.0 0",
  };
  const path = env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  env["PATH"] = agent.scriptBinDir === "" ? path : `${agent.scriptBinDir}:${path}`;
  return env;
}

/** Git gives it to a shell. */
function quoted(path: string): string {
  return /^[\w./+-]+$/u.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function directory(wanted: string, home: string): string {
  for (const dir of [wanted, home]) if (dir !== "" && existsSync(dir)) return dir;
  return "/";
}
