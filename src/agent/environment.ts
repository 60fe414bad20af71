/**
 * What shells, scripts and terminals inside a workspace run with: environment, shell, folder. Pure, but for reading the
 * user's line of the password file.
 */
import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { Manifest } from "#rpc/gen/agent_pb.js";

export interface EnvironmentFacts {
  /** Environment of the agent's own process. */
  readonly base: NodeJS.ProcessEnv;
  readonly manifest: Manifest;
  readonly workspaceId: string;
  readonly agentToken: string;
  /** How to call the agent's program, for git's helpers: a quoted command line. */
  readonly agentCommand: string;
  /** Folder of programs that scripts install; in front of PATH. */
  readonly scriptBinDir: string;
  readonly shell: string;
  readonly user: string;
  /** From the client (ssh `env`). */
  readonly requested?: Readonly<Record<string, string>>;
}

/** Weakest first: process and request, the fixed set, the manifest's own, secrets, git's helper, PATH. */
export function buildEnvironment(facts: EnvironmentFacts): Record<string, string> {
  const { base, manifest, requested = {}, agentCommand } = facts;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && !(name === "GOTRACEBACK" && value === "none")) env[name] = value;
  }
  Object.assign(env, requested, { USER: facts.user, LOGNAME: facts.user, SHELL: facts.shell });
  Object.assign(env, {
    CODER: "true",
    CODER_WORKSPACE_NAME: manifest.workspaceName,
    CODER_WORKSPACE_AGENT_NAME: manifest.agentName,
    CODER_WORKSPACE_OWNER_NAME: manifest.ownerUsername,
    CODER_WORKSPACE_ID: facts.workspaceId,
    CODER_AGENT_TOKEN: facts.agentToken,
    GIT_SSH_COMMAND: `${agentCommand} gitssh --`,
    CS_DISABLE_GETTING_STARTED_OVERRIDE: "true",
    ...(manifest.vsCodePortProxyUri === "" ? {} : { VSCODE_PROXY_URI: manifest.vsCodePortProxyUri }),
  });
  for (const [name, value] of Object.entries(manifest.environmentVariables)) env[name] = expand(value, base);
  env["GIT_ASKPASS"] = agentCommand;
  env["PATH"] = `${facts.scriptBinDir}:${env["PATH"] ?? base["PATH"] ?? ""}`;
  env["SSH_CLIENT"] = "0.0.0.0 0 0";
  env["SSH_CONNECTION"] = "0.0.0.0 0 0.0.0.0 0";
  return env;
}

/** `$NAME` and `${NAME}`; what is unset is empty. */
export function expand(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(
    /\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g,
    (_, braced?: string, plain?: string) => env[braced ?? plain ?? ""] ?? "",
  );
}

/** The login shell: the user's line of the password file, else `$SHELL`, else sh. A uid without a line is no error. */
export function loginShell(env: NodeJS.ProcessEnv, passwd: string = readPasswd()): string {
  const uid = process.getuid?.() ?? -1;
  const line = passwd.split("\n").find((one) => one.split(":")[2] === String(uid));
  const shell = line?.split(":")[6]?.trim();
  if (shell && existsSync(shell)) return shell;
  return env["SHELL"] || "/bin/sh";
}

function readPasswd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    return "";
  }
}

export function userName(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env["USER"] || String(process.getuid?.() ?? "user");
  }
}

/** The manifest's folder if it exists, else home, else the root. */
export function workingDirectory(manifest: Pick<Manifest, "directory">, env: NodeJS.ProcessEnv): string {
  const home = env["HOME"] ?? "/";
  const wanted = expand(manifest.directory.replace(/^~(?=\/|$)/, home), env);
  if (wanted !== "" && existsSync(wanted)) return wanted;
  return existsSync(home) ? home : "/";
}

export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
}

/** Empty: a login shell. A text that starts with `#!`: its interpreter runs it. Else the shell does. */
export function commandLine(text: string, shell: string): CommandLine {
  if (text.trim() === "") return { file: shell, args: ["-l"] };
  const interpreter = /^\s*#!\s*([^\n]+)/.exec(text)?.[1]?.trim();
  if (interpreter) {
    const [file = shell, ...args] = interpreter.split(/\s+/);
    return { file, args: [...args, "-c", text] };
  }
  return { file: shell, args: ["-c", text] };
}
