/** `docker_image`: pulled where Docker does not have it. Building one is Terraform's. */
import * as t from "#preview/cty/type.ts";
import { DockerApiError } from "./client.ts";
import { computed, define, type Fields, gone, optional, required, str } from "./define.ts";
import { ensureImage, inspectImage } from "./images.ts";
import { textAt, textsAt } from "./json.ts";

/** Timeouts of the real provider: 20 minutes each, in nanoseconds. */
export const timeouts = {
  "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0": { create: 1.2e12, delete: 1.2e12, update: 1.2e12 },
};

function found(json: unknown, name: string): Fields {
  const imageId = textAt(json, "Id");
  return { id: `${imageId}${name}`, image_id: imageId, repo_digest: textsAt(json, "RepoDigests")[0] ?? "" };
}

export const dockerImage = define({
  type: "docker_image",
  version: 0,
  schema: {
    attributes: {
      id: computed(t.string),
      name: required(t.string),
      image_id: computed(t.string),
      repo_digest: computed(t.string),
      force_remove: optional(t.bool),
      keep_locally: optional(t.bool),
      platform: optional(t.string),
      pull_triggers: optional(t.set(t.string)),
      triggers: optional(t.map(t.string)),
    },
    blocks: {},
  },
  private: Buffer.from(JSON.stringify(timeouts)).toString("base64"),
  defaults: {},
  inPlace: new Set(["force_remove", "keep_locally"]),
  unsupported: ["build", "timeouts"],
  async create(fields, { client, auths }, { canceled }) {
    const name = str(fields["name"]);
    const platform = str(fields["platform"]);
    const image = await ensureImage(client, name, {
      auths,
      ...(platform === "" ? {} : { platform }),
      signal: canceled,
    });
    return { fields: found(image, name) };
  },
  update: async (fields) => fields,
  async read(fields, { client }) {
    const name = str(fields["name"]);
    const json = await inspectImage(client, name);
    // The same name may stand for another image by now: its containers are made anew only where they ask for its id.
    return json === undefined ? undefined : found(json, name);
  },
  async destroy(fields, { client }) {
    if (fields["keep_locally"] === true) return;
    const force = fields["force_remove"] === true ? "true" : "false";
    try {
      await gone(() =>
        client.call("DELETE", `/images/${encodeURI(str(fields["name"]))}`, { query: { force } }),
      );
    } catch (error) {
      // Another workspace's container uses it: it stays.
      if (!(error instanceof DockerApiError) || error.status !== 409) throw error;
    }
  },
});
