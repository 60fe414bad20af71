/** The `docker` provider's block → how its types reach the daemon and the registries. */
import * as t from "#preview/cty/type.ts";
import { toAttributes, type Schema } from "../schema.ts";
import type { Value } from "#preview/cty/value.ts";
import { DockerClient } from "./client.ts";
import { dockerEndpoint } from "./endpoint.ts";
import { authFromConfig, type RegistryAuth } from "./images.ts";
import { isRecord, listAt, textAt } from "./json.ts";

export interface DockerAccess {
  readonly client: DockerClient;
  readonly auths: readonly RegistryAuth[];
  /** Whether somebody said that the daemon need not answer while planning. */
  readonly unchecked: boolean;
}

const text = { type: t.string, optional: true } as const;
const flag = { type: t.bool, optional: true } as const;

export const dockerProviderSchema: Schema = {
  attributes: {
    host: text,
    cert_path: text,
    ca_material: text,
    cert_material: text,
    key_material: text,
    disable_docker_daemon_check: flag,
  },
  blocks: {
    registry_auth: {
      nesting: "set",
      schema: {
        attributes: {
          address: { type: t.string, required: true },
          auth_disabled: flag,
          config_file: text,
          config_file_content: text,
          username: text,
          password: { type: t.string, optional: true, sensitive: true },
        },
        blocks: {},
      },
    },
  },
};

/** `config` follows the schema above and is wholly known. Throws with what is wrong in it. */
export function dockerAccess(
  config: Value | undefined,
  env: Readonly<Record<string, string | undefined>>,
): DockerAccess {
  const json: unknown = config ? toAttributes(config) : {};
  const endpoint = dockerEndpoint(
    {
      host: textAt(json, "host"),
      certPath: textAt(json, "cert_path"),
      ca: textAt(json, "ca_material"),
      cert: textAt(json, "cert_material"),
      key: textAt(json, "key_material"),
    },
    env,
  );
  const auths = listAt(json, "registry_auth").flatMap((block): RegistryAuth[] => {
    const address = textAt(block, "address");
    if (isRecord(block) && block["auth_disabled"] === true) return [];
    const [username, password] = [textAt(block, "username"), textAt(block, "password")];
    if (username !== "") return [{ address, username, password }];
    const content = textAt(block, "config_file_content");
    const found = authFromConfig(address, { content, file: textAt(block, "config_file") });
    return found ? [found] : [];
  });
  const unchecked = isRecord(json) && json["disable_docker_daemon_check"] === true;
  return { client: new DockerClient(endpoint), auths, unchecked };
}
