/**
 * From the command line's options to a client of the server: where it is, who we are, what each request carries, and
 * what its first answer tells about versions. A command calls `connect(inv)`.
 */
import { execFile } from "node:child_process";
import { arch, platform } from "node:os";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { version } from "#buildinfo/buildinfo.ts";
import { type Client, newClient } from "#codersdk/client.ts";
import type { Invocation } from "#serpent/command.ts";
import { nodeDial } from "./dial.ts";
import { type ConfigDir, configDir, defaultConfigPath } from "./config.ts";
import { newProgress, type Progress } from "./cliui/progress.ts";
import { UserError } from "./errors.ts";
import { globals } from "./globals.ts";

export interface Session {
  readonly client: Client;
  readonly config: ConfigDir;
  /** Headers that every request and WebSocket to the server carries, the token not among them. */
  readonly headers: Readonly<Record<string, string>>;
}

export function openConfig(inv: Invocation): ConfigDir {
  return configDir(resolve(inv.cwd, inv.get(globals.configDir) || defaultConfigPath(inv.env)));
}

/** A client with the stored or given URL and token. Throws when nobody logged in; a missing token is no error here. */
export async function connect(inv: Invocation): Promise<Session> {
  const config = openConfig(inv);
  const url = inv.get(globals.url) || (await config.read("url"));
  if (!url) throw new UserError("You are not logged in. Try logging in using 'coder login <url>'.");
  const token = inv.get(globals.token) || (await config.read("session"));
  return { config, ...(await clientFor(inv, url, token)) };
}

/** A client of that server; used before anything is stored. */
export async function clientFor(
  inv: Invocation,
  url: string,
  token: string | undefined,
): Promise<{ client: Client; headers: Readonly<Record<string, string>> }> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UserError(`the URL must start with http:// or https://: received ${JSON.stringify(url)}`);
  }
  const headers = { ...(await extraHeaders(inv, url)), "User-Agent": userAgent(inv.name) };
  return { client: newClient({ url, token, headers, fetch: checkedFetch(inv), dial: nodeDial }), headers };
}

export function userAgent(command: string): string {
  const archs: Readonly<Record<string, string>> = { x64: "amd64" };
  return `coder-cli/${version} (${platform()}/${archs[arch()] ?? arch()}; ${command})`;
}

async function extraHeaders(inv: Invocation, url: string): Promise<Record<string, string>> {
  const lines = [...inv.get(globals.header)];
  const command = inv.get(globals.headerCommand);
  if (command !== "") {
    // The user's own shell command, from his own options.
    const { stdout } = await promisify(execFile)("sh", ["-c", command], {
      env: { ...inv.env, CODER_URL: url },
      signal: inv.signal,
      maxBuffer: 64 * 1024,
    });
    lines.push(...stdout.split("\n").filter((line) => line.trim() !== ""));
  }
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      if (at < 1) throw new UserError(`a header is given as key=value: received ${JSON.stringify(line)}`);
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }),
  );
}

/** Tells once, on the first success, when the server is of another line than this program. */
function checkedFetch(inv: Invocation): typeof fetch {
  let checked = inv.get(globals.noVersionWarning);
  const warned = new Set<string>();
  const progress = newProgress(inv);
  return async (input, init) => {
    const response = await answered(progress, input, init);
    for (const text of response.headers.get("X-Coder-Entitlements-Warning")?.split(", ") ?? []) {
      if (!inv.get(globals.noFeatureWarning) && !warned.has(text)) inv.stderr.write(`${text}\n`);
      warned.add(text);
    }
    const server = response.headers.get("X-Coder-Build-Version");
    if (!checked && response.ok && server) {
      checked = true;
      if (!sameLine(version, server)) {
        inv.stderr.write(`version mismatch: client ${version}, server ${server}\n`);
      }
    }
    return response;
  };
}

async function answered(
  progress: Progress,
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1],
): Promise<Response> {
  using _wait = progress.wait("Waiting for the server");
  return await fetch(input, init);
}

/** Major and minor are equal, or one side is a development build without a version. */
export function sameLine(a: string, b: string): boolean {
  const line = (text: string): string => text.split(".").slice(0, 2).join(".");
  return line(a) === line(b) || a.startsWith("v0.0.0") || b.startsWith("v0.0.0");
}
