/**
 * `GET …/provisionerdaemons/serve`: an external daemon dials in (spec provisioning §2). Everything is checked before the
 * upgrade; then WebSocket → yamux → the same API as built-in daemons have. 403 is final for a daemon, 401 is not.
 */
import type { Duplex } from "node:stream";
import type { Ctx } from "../ctx.ts";
import { serveSession } from "#rpc/drpc/server.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import type { ProvisionerDaemon, ProvisionerType } from "../database/gen/models.gen.ts";
import { Forbidden, Invalid, invalidField } from "../errors.ts";
import type { ProvisionerKeyCaller, SessionCaller } from "../httpmw/caller.ts";
import { resolveOrganization } from "../httpmw/params.ts";
import { normalizeTags, type Tags } from "../provisionerjobs/tags.ts";
import type { DaemonIdentity } from "../provisionerdserver/deps.ts";
import { keepAlive, registerDaemon } from "../provisionerdserver/registration.ts";
import { provisionerdRouter } from "../provisionerdserver/server.ts";
import type { Provisioning } from "../provisionerdserver/start.ts";
import { can } from "../rbac/subject.ts";

const userAuthKeyId = "00000000-0000-0000-0000-000000000002";
/** The daemon API of this server. */
const ours = { major: 1, minor: 18 };

export interface ServeRequest {
  readonly organization: string;
  readonly search: URLSearchParams;
  readonly buildVersion: string;
  readonly caller: SessionCaller | ProvisionerKeyCaller;
}

/** Checks and registers; the row of the daemon. */
export async function admitDaemon(
  ctx: Ctx,
  provisioning: Provisioning,
  request: ServeRequest,
): Promise<ProvisionerDaemon> {
  const { search, caller } = request;
  const { store, rand } = provisioning.deps;
  const system = provisioning.ctx.until(ctx.signal);
  const apiVersion = readVersion(search.get("version") ?? "1.0");
  const name = search.get("name") ?? "";
  if (name === "" || name.length > 64) {
    throw invalidField("A daemon has a name.", "name", "1 to 64 characters");
  }
  const provisioners = readTypes(search.getAll("provisioner"));
  const asked = readTags(search.getAll("tag"));
  const organization = await resolveOrganization(system, store, request.organization);
  const { keyId, tags } =
    caller.kind === "session"
      ? { keyId: userAuthKeyId, tags: tagsOfUser(ctx, caller, organization.id, asked) }
      : { keyId: caller.keyId, tags: tagsOfKey(caller, organization.id, asked) };
  return registerDaemon(system, store, {
    id: rand.uuid(),
    organizationId: organization.id,
    keyId,
    name,
    provisioners,
    tags,
    replicaId: null,
    version: request.buildVersion.slice(0, 200),
    apiVersion,
  });
}

/** Serves until the connection, the server or the key ends. */
export async function serveDaemon(
  provisioning: Provisioning,
  row: ProvisionerDaemon,
  stream: Duplex,
  signal: AbortSignal,
): Promise<void> {
  const { deps } = provisioning;
  const { clock } = provisioning.ctx;
  await using session = YamuxSession.start(stream, { role: "server", clock });
  const ctx = provisioning.ctx.until(AbortSignal.any([signal, session.signal]));
  ctx.signal.addEventListener("abort", () => session.close(), { once: true });
  using _watch = await deps.pubsub.subscribe(keyDeletedChannel(row.keyId), {
    message: () => session.close(),
  });
  const identity: DaemonIdentity = {
    id: row.id,
    organizationId: row.organizationId,
    types: row.provisioners,
    tags: row.tags,
    apiVersion: row.apiVersion,
  };
  void keepAlive(ctx, deps.store, row.id);
  ctx.log.info("a provisioner daemon connected", { name: row.name, provisioners: row.provisioners });
  await serveSession(session, provisionerdRouter(ctx, deps, identity));
  ctx.log.info("a provisioner daemon left", { name: row.name });
}

/** Whoever deletes a key ends the connections of its daemons. */
export function keyDeletedChannel(keyId: string): string {
  return `provisioner_key_deleted:${keyId}`;
}

function readVersion(text: string): string {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})$/.exec(text) ?? [];
  if (major === undefined || minor === undefined) {
    throw invalidField(
      "Unknown or unsupported API version",
      "version",
      `invalid version string: ${text.slice(0, 40)}`,
    );
  }
  if (Number(major) !== ours.major || Number(minor) > ours.minor) {
    const detail = `server is at version ${ours.major}.${ours.minor}, behind requested version ${text}`;
    throw invalidField("Unknown or unsupported API version", "version", detail);
  }
  return text;
}

function readTypes(names: readonly string[]): ProvisionerType[] {
  const types = names.map((name): ProvisionerType => {
    if (name === "echo" || name === "terraform") return name;
    throw invalidField(
      `Unknown provisioner type "${name.slice(0, 40)}"`,
      "provisioner",
      "known are echo and terraform",
    );
  });
  if (types.length === 0) {
    throw invalidField("A daemon offers a provisioner.", "provisioner", "none was given");
  }
  return [...new Set(types)];
}

function readTags(pairs: readonly string[]): Tags {
  const out: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) {
      throw invalidField(
        "Invalid provisioner tag",
        "tag",
        `expected key=value: received ${pair.slice(0, 80)}`,
      );
    }
    if (pair.includes("\0")) {
      throw invalidField("Invalid provisioner tag", "tag", "tags cannot contain the null byte (0x00)");
    }
    out[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return out;
}

function tagsOfUser(ctx: Ctx, caller: SessionCaller, org: string, asked: Tags): Tags {
  const tags = normalizeTags(caller.user.id, asked);
  const owner = tags["scope"] === "user" ? { owner: caller.user.id } : {};
  if (!can(ctx.actor, "create", { type: "provisioner_daemon", org, ...owner })) {
    throw new Forbidden("You are not allowed to run provisioner daemons here.");
  }
  return tags;
}

function tagsOfKey(caller: ProvisionerKeyCaller, org: string, asked: Tags): Tags {
  if (caller.organizationId !== undefined && caller.organizationId !== org) {
    throw new Forbidden("The provisioner key belongs to another organization.");
  }
  if (caller.organizationId === undefined) return normalizeTags("", { ...asked, scope: "organization" });
  if (Object.keys(asked).some((key) => key !== "scope" && key !== "owner")) {
    throw new Invalid("A daemon with a provisioner key takes its tags from the key.");
  }
  return normalizeTags("", caller.tags);
}
