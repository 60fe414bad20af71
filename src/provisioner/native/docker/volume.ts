/** `docker_volume`. A volume that exists already is taken over, as the real provider does. */
import * as t from "#preview/cty/type.ts";
import {
  computed,
  define,
  either,
  type Fields,
  labelsBlock,
  labelsOf,
  optional,
  str,
  textMap,
  whenFree,
} from "./define.ts";
import { textAt } from "./json.ts";

const path = (name: string): string => `/volumes/${encodeURIComponent(name)}`;

const found = (json: unknown): Fields => ({
  id: textAt(json, "Name"),
  name: textAt(json, "Name"),
  driver: textAt(json, "Driver"),
  mountpoint: textAt(json, "Mountpoint"),
});

export const dockerVolume = define({
  type: "docker_volume",
  version: 1,
  schema: {
    attributes: {
      id: computed(t.string),
      name: either(t.string),
      driver: either(t.string),
      driver_opts: optional(t.map(t.string)),
      mountpoint: computed(t.string),
    },
    blocks: { labels: labelsBlock },
  },
  private: Buffer.from('{"schema_version":"1"}').toString("base64"),
  defaults: {},
  inPlace: new Set(),
  unsupported: ["cluster"],
  async create(fields, { client }, { canceled }) {
    const body = {
      ...(fields["name"] ? { Name: str(fields["name"]) } : {}),
      Driver: str(fields["driver"]) || "local",
      DriverOpts: textMap(fields["driver_opts"]),
      Labels: labelsOf(fields["labels"]),
    };
    return { fields: found(await client.call("POST", "/volumes/create", { body, signal: canceled })) };
  },
  update: async (fields) => fields,
  async read(fields, { client }) {
    const json = await client.find(path(str(fields["id"])));
    return json === undefined ? undefined : found(json);
  },
  destroy: (fields, { client }, context) =>
    whenFree(context, () => client.call("DELETE", path(str(fields["id"])))),
});
