/** `docker_container`: created, connected, started; what fails after its creation leaves it known and tainted. */
import type { TypeContext } from "../types/native-type.ts";
import type { DockerAccess } from "./access.ts";
import { DockerApiError, type DockerClient } from "./client.ts";
import { connectBody, createBody, filledFields, liveFields, resources } from "./container-body.ts";
import { containerDefaults, containerSchema, ours, unsupported, updatable } from "./container-schema.ts";
import { blocksOf, define, type DockerMade, type Fields, gone, num, str } from "./define.ts";
import { timeouts } from "./image.ts";
import { pullImage } from "./images.ts";
import { at, numberAt, textAt } from "./json.ts";

const path = (id: string, action = ""): string => `/containers/${encodeURIComponent(id)}${action}`;

const inspect = (client: DockerClient, id: string): Promise<unknown> => client.find(path(id, "/json"));

const isRunning = (json: unknown): boolean => at(json, "State", "Running") === true;
/** A container that its policy starts anew is up, also in the moment between. */
const isUp = (json: unknown): boolean => isRunning(json) || at(json, "State", "Restarting") === true;

async function createContainer(
  fields: Fields,
  access: DockerAccess,
  { canceled }: TypeContext,
): Promise<string> {
  const { client, auths } = access;
  const platform = str(fields["platform"]);
  const call = {
    query: { name: str(fields["name"]), ...(platform === "" ? {} : { platform }) },
    body: createBody(fields),
    signal: canceled,
  };
  try {
    return textAt(await client.call("POST", "/containers/create", call), "Id");
  } catch (error) {
    if (!(error instanceof DockerApiError) || error.status !== 404) throw error;
    const image = str(fields["image"]);
    if (image.startsWith("sha256:")) throw error;
    await pullImage(client, image, { auths, ...(platform === "" ? {} : { platform }), signal: canceled });
    return textAt(await client.call("POST", "/containers/create", call), "Id");
  }
}

/** Named networks replace the default one. */
async function connect(client: DockerClient, id: string, fields: Fields): Promise<void> {
  const blocks = blocksOf(fields["networks_advanced"]);
  if (blocks.length === 0) return;
  const mode = str(fields["network_mode"]) || "bridge";
  await client.call("POST", `/networks/${encodeURIComponent(mode)}/disconnect`, {
    body: { Container: id, Force: true },
  });
  for (const block of blocks) {
    const network = encodeURIComponent(str(block["name"]));
    await client.call("POST", `/networks/${network}/connect`, { body: connectBody(id, block) });
  }
}

/** The last lines that it printed: why it ended stands there. */
async function lastWords(client: DockerClient, id: string): Promise<string> {
  try {
    const query = { stdout: "1", stderr: "1", tail: "20" };
    const raw = await client.bytes(path(id, "/logs"), { query });
    return unframe(raw).trim().slice(-2000);
  } catch {
    return "";
  }
}

/** Without a terminal each piece of output comes behind eight bytes: stream, three zeros, big-endian length. */
function unframe(raw: Buffer): string {
  const out: Buffer[] = [];
  let offset = 0;
  while (offset + 8 <= raw.length) {
    if (raw.readUInt8(offset) > 2 || raw.readUIntBE(offset + 1, 3) !== 0) return raw.toString("utf8");
    const length = raw.readUInt32BE(offset + 4);
    out.push(raw.subarray(offset + 8, offset + 8 + length));
    offset += 8 + length;
  }
  return Buffer.concat(out).toString("utf8");
}

/** Undefined, or why it is not as it should be. */
async function mustRun(client: DockerClient, id: string, fields: Fields): Promise<string | undefined> {
  if (fields["start"] === false || fields["must_run"] === false) return undefined;
  const json = await inspect(client, id);
  if (isUp(json)) return undefined;
  const words = await lastWords(client, id);
  const why =
    textAt(json, "State", "Error") || `it ended at once with status ${numberAt(json, "State", "ExitCode")}`;
  return `the container ${str(fields["name"])} does not run: ${why}${words === "" ? "" : `\n${words}`}`;
}

async function finish(id: string, fields: Fields, { client }: DockerAccess): Promise<string | undefined> {
  try {
    await connect(client, id, fields);
    if (fields["start"] !== false) await client.call("POST", path(id, "/start"));
    return await mustRun(client, id, fields);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export const dockerContainer = define({
  type: "docker_container",
  version: 2,
  schema: containerSchema,
  private: Buffer.from(JSON.stringify({ ...timeouts, schema_version: "2" })).toString("base64"),
  defaults: containerDefaults,
  inPlace: new Set([...updatable, ...ours]),
  unsupported,
  async intent(fields, { client }) {
    const name = str(fields["name"]);
    const other = await inspect(client, name);
    if (other !== undefined) {
      throw new Error(
        `a container named ${name} exists already (${textAt(other, "Id").slice(0, 12)}) and is not this workspace's: remove it with "docker rm -f ${name}", or choose another name`,
      );
    }
    return { id: name };
  },
  async create(fields, access, context): Promise<DockerMade> {
    const id = await createContainer(fields, access, context);
    const problem = await finish(id, fields, access);
    const json = await inspect(access.client, id).catch(() => undefined);
    const made = json === undefined ? { id } : filledFields(json);
    return { fields: made, ...(problem === undefined ? {} : { problem }) };
  },
  async update(fields, prior, { client }, { canceled }) {
    const id = str(fields["id"]);
    if (updatable.some((name) => fields[name] !== prior[name])) {
      await client.call("POST", path(id, "/update"), { body: resources(fields), signal: canceled });
    }
    const json = await inspect(client, id);
    if (fields["start"] !== false && fields["must_run"] !== false && !isUp(json)) {
      await client.call("POST", path(id, "/start"), { signal: canceled });
    }
    const problem = await mustRun(client, id, fields);
    if (problem !== undefined) throw new Error(problem);
    return liveFields(await inspect(client, id));
  },
  async read(fields, { client }) {
    const json = await inspect(client, str(fields["id"]));
    if (json === undefined) return undefined;
    const fallen = fields["must_run"] === true && fields["start"] !== false && !isUp(json);
    // Then it is started again, in place.
    return { ...liveFields(json), ...(fallen ? { must_run: false } : {}) };
  },
  async destroy(fields, { client }, { clock }) {
    const id = str(fields["id"]);
    const grace = num(fields["destroy_grace_seconds"]);
    if (grace > 0) {
      const idleMs = (grace + 60) * 1000;
      await gone(() => client.call("POST", path(id, "/stop"), { query: { t: String(grace) }, idleMs }));
    }
    const query = { force: "1", v: fields["remove_volumes"] === false ? "0" : "1" };
    try {
      await gone(() => client.call("DELETE", path(id), { query }));
    } catch (error) {
      // Somebody removes it already: it is gone when the daemon no longer knows it.
      if (!(error instanceof DockerApiError) || error.status !== 409) throw error;
      for (let tries = 0; tries < 120 && (await inspect(client, id)) !== undefined; tries++) {
        await clock.sleep(250, { tag: "docker-removal" });
      }
      if ((await inspect(client, id)) !== undefined) throw error;
    }
  },
});
