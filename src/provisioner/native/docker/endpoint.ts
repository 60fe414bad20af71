/** Where a Docker daemon is: the provider's block, else DOCKER_HOST and its companions, else the usual socket. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export type DockerEndpoint =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls?: Tls };

/** Texts of the provider's block; absent where it has none. */
export interface EndpointSettings {
  readonly host?: string | undefined;
  readonly certPath?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export const defaultSocket = "/var/run/docker.sock";

/** `unix:///path` or `tcp://host:port` as a person reads it. */
export function endpointText(endpoint: DockerEndpoint): string {
  return endpoint.kind === "unix" ? endpoint.path : `tcp://${endpoint.host}:${endpoint.port}`;
}

/** Throws naming what it received. */
export function dockerEndpoint(
  settings: EndpointSettings,
  env: Readonly<Record<string, string | undefined>>,
): DockerEndpoint {
  const host = settings.host || env["DOCKER_HOST"] || `unix://${defaultSocket}`;
  if (host.startsWith("unix://") || host.startsWith("/")) {
    const path = host.replace(/^unix:\/\//, "");
    if (path === "") throw new Error(`a Docker host needs a path: received ${JSON.stringify(host)}`);
    return { kind: "unix", path };
  }
  const match = /^(?:tcp|http|https):\/\/(\[[0-9a-f:]+\]|[^:/[\]]+)(?::(\d{1,5}))?\/?$/i.exec(host);
  if (!match) {
    const advice = host.startsWith("ssh://") ? "; for ssh set CODER_PROVISIONER_ENGINE=terraform" : "";
    throw new Error(
      `a Docker host is unix:///path or tcp://host:port: received ${JSON.stringify(host.slice(0, 200))}${advice}`,
    );
  }
  const tls = tlsOf(settings, env, host);
  return {
    kind: "tcp",
    host: (match[1] ?? "").replace(/^\[|\]$/g, ""),
    port: Number(match[2] ?? (tls ? 2376 : 2375)),
    ...(tls ? { tls } : {}),
  };
}

function tlsOf(
  settings: EndpointSettings,
  env: Readonly<Record<string, string | undefined>>,
  host: string,
): Tls | undefined {
  const given = { ca: settings.ca, cert: settings.cert, key: settings.key };
  const dir = settings.certPath || env["DOCKER_CERT_PATH"];
  const read = (name: string): string | undefined => {
    if (!dir) return undefined;
    try {
      return readFileSync(join(dir, name), "utf8");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`cannot read Docker's ${name}: ${why}`, { cause: error });
    }
  };
  const wanted = Boolean(dir || given.ca || given.cert || given.key || host.startsWith("https:"));
  if (!wanted) return undefined;
  const ca = given.ca || read("ca.pem");
  const cert = given.cert || read("cert.pem");
  const key = given.key || read("key.pem");
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
}
