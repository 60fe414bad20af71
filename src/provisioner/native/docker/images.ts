/** Images: names, pulls, credentials for registries. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { DockerApiError, type DockerClient } from "./client.ts";
import { isRecord, textAt } from "./json.ts";

export interface RegistryAuth {
  /** As given: `https://index.docker.io/v1/`, `ghcr.io`. */
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

/** Registry's host, and what to pull: `{ from, tag }`. */
export function parseImage(name: string): {
  readonly registry: string;
  readonly from: string;
  readonly tag: string;
} {
  const [head = ""] = name.split("/");
  const named = name.includes("/") && (head.includes(".") || head.includes(":") || head === "localhost");
  const registry = named ? head : "docker.io";
  if (name.includes("@")) return { registry, from: name, tag: "" };
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/")
    ? { registry, from: name.slice(0, colon), tag: name.slice(colon + 1) }
    : { registry, from: name, tag: "latest" };
}

const bareHost = (address: string): string => {
  const host = address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return /^(?:index|registry-1)\.docker\.io$/.test(host) ? "docker.io" : host;
};

/** Value of the X-Registry-Auth header; undefined where nobody gave credentials for that registry. */
export function authHeader(auths: readonly RegistryAuth[], registry: string): string | undefined {
  const found = auths.find(({ address }) => bareHost(address) === bareHost(registry));
  if (!found) return undefined;
  const { username, password, address } = found;
  return Buffer.from(JSON.stringify({ username, password, serveraddress: address })).toString("base64url");
}

/** Credentials of a registry from Docker's configuration: its text, or its file. Undefined where it has none. */
export function authFromConfig(
  address: string,
  source: { readonly content?: string | undefined; readonly file?: string | undefined },
): RegistryAuth | undefined {
  let text = source.content;
  if (!text) {
    const file = (source.file || "~/.docker/config.json").replace(/^~(?=\/)/, homedir());
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      if (source.file) throw new Error(`cannot read ${join(file)}: ${String(error)}`, { cause: error });
      return undefined;
    }
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error("Docker's configuration of registries is no JSON", { cause: error });
  }
  const auths = isRecord(json) && isRecord(json["auths"]) ? json["auths"] : {};
  const entry = Object.entries(auths).find(([name]) => bareHost(name) === bareHost(address))?.[1];
  if (!isRecord(entry)) return undefined;
  const decoded = Buffer.from(textAt(entry, "auth"), "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  const username = colon < 0 ? textAt(entry, "username") : decoded.slice(0, colon);
  const password = colon < 0 ? textAt(entry, "password") : decoded.slice(colon + 1);
  return username === "" ? undefined : { address, username, password };
}

export interface PullOptions {
  readonly auths: readonly RegistryAuth[];
  readonly platform?: string;
  readonly signal: AbortSignal;
}

/** The image's facts; undefined if Docker does not have it. */
export const inspectImage = (client: DockerClient, name: string): Promise<unknown> =>
  client.find(`/images/${encodeURI(name)}/json`);

/** Gets an image from its registry. Throws with the registry's words, and when the pull breaks off half-way. */
export async function pullImage(client: DockerClient, name: string, options: PullOptions): Promise<unknown> {
  const { registry, from, tag } = parseImage(name);
  const auth = authHeader(options.auths, registry);
  const call = {
    query: {
      fromImage: from,
      ...(tag === "" ? {} : { tag }),
      ...(options.platform ? { platform: options.platform } : {}),
    },
    ...(auth === undefined ? {} : { headers: { "X-Registry-Auth": auth } }),
    signal: options.signal,
    idleMs: 10 * 60_000,
  };
  try {
    for await (const line of client.lines("POST", "/images/create", call)) {
      if (isRecord(line) && typeof line["error"] === "string") throw new DockerApiError(500, line["error"]);
    }
  } catch (error) {
    if (options.signal.aborted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot pull image ${name}: ${why}`, { cause: error });
  }
  const found = await inspectImage(client, name);
  if (found === undefined) {
    throw new Error(`cannot pull image ${name}: the pull ended before the image was there`);
  }
  return found;
}

/** What Docker has, or else what the registry has. */
export const ensureImage = async (
  client: DockerClient,
  name: string,
  options: PullOptions,
): Promise<unknown> => (await inspectImage(client, name)) ?? (await pullImage(client, name, options));
