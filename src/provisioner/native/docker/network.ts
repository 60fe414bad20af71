/** `docker_network`. */
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { DockerClient } from "./client.ts";
import {
  blocksOf,
  computed,
  define,
  either,
  type Fields,
  labelsBlock,
  labelsOf,
  nested,
  optional,
  required,
  str,
  textMap,
  whenFree,
} from "./define.ts";
import { listAt, recordAt, textAt } from "./json.ts";

const path = (id: string): string => `/networks/${encodeURIComponent(id)}`;

async function found(client: DockerClient, id: string): Promise<Fields | undefined> {
  const json = await client.find(path(id));
  if (json === undefined) return undefined;
  return {
    id: textAt(json, "Id"),
    driver: textAt(json, "Driver"),
    internal: recordAt(json)["Internal"] === true,
    scope: textAt(json, "Scope"),
    options: textMap(recordOf(recordAt(json, "Options"))),
    ipam_config: listAt(json, "IPAM", "Config").map((item) => ({
      aux_address: recordOf(recordAt(item, "AuxiliaryAddresses")),
      gateway: textAt(item, "Gateway"),
      ip_range: textAt(item, "IPRange"),
      subnet: textAt(item, "Subnet"),
    })),
  };
}

const recordOf = (record: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]));

export const dockerNetwork = define({
  type: "docker_network",
  version: 1,
  schema: {
    attributes: {
      id: computed(t.string),
      name: required(t.string),
      attachable: optional(t.bool),
      driver: either(t.string),
      ingress: optional(t.bool),
      internal: either(t.bool),
      ipam_driver: optional(t.string),
      ipam_options: optional(t.map(t.string)),
      ipv6: optional(t.bool),
      options: either(t.map(t.string)),
      scope: computed(t.string),
    },
    blocks: {
      labels: labelsBlock,
      ipam_config: nested("set", {
        aux_address: optional(t.map(t.string)),
        gateway: optional(t.string),
        ip_range: optional(t.string),
        subnet: optional(t.string),
      }),
    },
  },
  private: Buffer.from('{"schema_version":"1"}').toString("base64"),
  defaults: {
    attachable: v.bool(false),
    ingress: v.bool(false),
    ipv6: v.bool(false),
    ipam_driver: v.str("default"),
  },
  inPlace: new Set(),
  keptBlocks: new Set(["ipam_config"]),
  unsupported: [],
  async intent(fields, { client }) {
    const name = str(fields["name"]);
    if ((await client.find(path(name))) !== undefined) {
      throw new Error(`a network named ${name} exists already`);
    }
    return { id: name };
  },
  async create(fields, { client }, { canceled }) {
    const config = blocksOf(fields["ipam_config"]).map((block) => ({
      ...(block["subnet"] ? { Subnet: block["subnet"] } : {}),
      ...(block["gateway"] ? { Gateway: block["gateway"] } : {}),
      ...(block["ip_range"] ? { IPRange: block["ip_range"] } : {}),
      ...(block["aux_address"] ? { AuxiliaryAddresses: textMap(block["aux_address"]) } : {}),
    }));
    const body = {
      Name: str(fields["name"]),
      CheckDuplicate: true,
      Driver: str(fields["driver"]) || "bridge",
      Internal: fields["internal"] === true,
      Attachable: fields["attachable"] === true,
      Ingress: fields["ingress"] === true,
      EnableIPv6: fields["ipv6"] === true,
      IPAM: {
        Driver: str(fields["ipam_driver"]) || "default",
        Options: textMap(fields["ipam_options"]),
        ...(config.length > 0 ? { Config: config } : {}),
      },
      Options: textMap(fields["options"]),
      Labels: labelsOf(fields["labels"]),
    };
    const made = await client.call("POST", "/networks/create", { body, signal: canceled });
    const id = textAt(made, "Id");
    return { fields: (await found(client, id)) ?? { id } };
  },
  update: async (fields) => fields,
  async read(fields, { client }) {
    const now = await found(client, str(fields["id"]));
    if (!now) return undefined;
    const { ipam_config: _kept, ...rest } = now;
    return rest;
  },
  destroy: (fields, { client }, context) =>
    whenFree(context, () => client.call("DELETE", path(str(fields["id"])))),
});
