/** Daemons, their keys, and the jobs of an organization. */
import { parseUuid } from "#codersdk/uuid.ts";
import { provisionerdaemons } from "#codersdk/provisionerdaemons.ts";
import { provisionerjobs } from "#codersdk/provisionerjobs.ts";
import { provisionerkeys } from "#codersdk/provisionerkeys.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { ProvisionerJobStatus, ProvisionerKey } from "../database/gen/models.gen.ts";
import type { GetOrganizationJobsRow } from "../database/gen/provisionerjobs.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { Conflict, Forbidden, invalidField, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { byteStream, noBody, reply } from "../httpapi/reply.ts";
import { sha256 } from "../httpmw/authenticate.ts";
import { resolveOrganization } from "../httpmw/params.ts";
import { staleMs } from "../provisionerdserver/registration.ts";
import type { Provisioning } from "../provisionerdserver/start.ts";
import { actors } from "../rbac/actors.ts";
import { can } from "../rbac/subject.ts";
import { admitDaemon, keyDeletedChannel, serveDaemon } from "./serve.ts";
import { daemonStatus, toDaemon, toKey, toListedJob } from "./view.ts";

export interface ProvisionerDaemonsDeps {
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
  readonly rand: Rand;
  readonly provisioning: Provisioning;
}

export function routes(deps: ProvisionerDaemonsDeps): BoundRoute[] {
  return [...daemons(deps), ...keys(deps), ...jobs(deps)];
}

/** `tags={"a":"b"}` of a query. */
function tagsOf(text: string | undefined): Record<string, string> {
  if (!text) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, tag]) => [key, String(tag)]));
    }
  } catch {
    // Told below.
  }
  throw invalidField("Invalid query parameters.", "tags", "expected a JSON object of strings");
}

function idsOf(search: URLSearchParams): string[] {
  return search
    .getAll("ids")
    .flatMap((text) => text.split(","))
    .filter((text) => text !== "")
    .map((text) => {
      const id = parseUuid(text);
      if (id === undefined) {
        throw invalidField(
          "Invalid query parameters.",
          "ids",
          `${JSON.stringify(text.slice(0, 40))} is no uuid`,
        );
      }
      return id;
    });
}

function listOf(search: URLSearchParams, name: string): string[] {
  return search
    .getAll(name)
    .flatMap((text) => text.split(","))
    .filter((text) => text !== "");
}

function daemons(deps: ProvisionerDaemonsDeps): BoundRoute[] {
  const { store, provisioning } = deps;
  return [
    bind(provisionerdaemons.list, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const rows = await store.getOrganizationDaemons(ctx, {
        organizationId: organization.id,
        ids: idsOf(req.search),
        tags: tagsOf(req.search.get("tags") ?? ""),
      });
      const now = ctx.now();
      const wanted = listOf(req.search, "status");
      const offline = req.search.get("offline") === "true" || wanted.includes("offline");
      const limit = Number(req.search.get("limit") ?? 0) || rows.length;
      return rows
        .filter((row) => {
          const status = daemonStatus(row, now);
          return wanted.length > 0 ? wanted.includes(status) : offline || status !== "offline";
        })
        .slice(0, limit)
        .map((row) => toDaemon(row, now));
    }),
    bind(provisionerdaemons.serve, async (ctx, req) => {
      const version = req.headers["coder-build-version"];
      const row = await admitDaemon(ctx, provisioning, {
        organization: req.params.organization,
        search: req.search,
        buildVersion: typeof version === "string" ? version : "",
        caller: req.caller,
      });
      return byteStream((stream, signal) => serveDaemon(provisioning, row, stream, signal));
    }),
  ];
}

const reservedNames = new Set(["built-in", "user-auth", "psk"]);
const keyName = /^[a-z0-9](?:-?[a-z0-9])*$/i;

function keys(deps: ProvisionerDaemonsDeps): BoundRoute[] {
  const { store, pubsub, rand } = deps;
  return [
    bind(provisionerkeys.create, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const { name, tags } = req.body();
      if (name === "" || name.length > 64 || !keyName.test(name)) {
        throw invalidField(
          "A provisioner key has a name of letters, digits and hyphens.",
          "name",
          "1 to 64 characters",
        );
      }
      if (reservedNames.has(name.toLowerCase())) {
        throw invalidField(`The name "${name}" is reserved.`, "name", "choose another name");
      }
      const secret = rand.string(43);
      try {
        await store.insertProvisionerKey(ctx, {
          id: rand.uuid(),
          organizationId: organization.id,
          name,
          hashedSecret: sha256(secret),
          tags,
          createdAt: ctx.now(),
        });
      } catch (error) {
        if (!isUniqueViolation(error, "provisioner_keys_name_idx")) throw error;
        throw new Conflict(`A provisioner key with the name "${name}" already exists.`, { cause: error });
      }
      return reply(201, { key: secret });
    }),
    bind(provisionerkeys.list, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      return (await store.getOrganizationProvisionerKeys(ctx, { organizationId: organization.id })).map(
        toKey,
      );
    }),
    bind(provisionerkeys.daemons, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const organizationId = organization.id;
      const own = await store.getOrganizationProvisionerKeys(ctx, { organizationId });
      const rows = await store.getOrganizationDaemons(ctx, { organizationId, ids: [], tags: {} });
      const now = ctx.now();
      const alive = rows.filter((row) => daemonStatus(row, now) !== "offline");
      const reserved = await reservedKeys(
        ctx,
        store,
        alive.map(({ d }) => d.keyId),
      );
      return [...own, ...reserved].map((key) => ({
        key: toKey(key),
        daemons: alive.filter(({ d }) => d.keyId === key.id).map((row) => toDaemon(row, now)),
      }));
    }),
    bind(provisionerkeys.remove, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const key = await store.getProvisionerKeyByName(ctx, {
        organizationId: organization.id,
        name: req.params.provisionerkey,
      });
      if (reservedNames.has(key.name)) throw new Forbidden(`The key "${key.name}" is reserved.`);
      await store.inTx(ctx, {}, async (tx) => {
        await tx.deleteProvisionerKeyById(ctx, { id: key.id });
        tx.afterCommit(() => pubsub.publish(keyDeletedChannel(key.id), "deleted"));
      });
      return noBody(204);
    }),
    bind(provisionerkeys.self, async (ctx, req) => {
      const system = ctx.as(actors.provisionerd, "a key shows itself to its holder");
      return toKey(await store.getProvisionerKeyById(system, { id: req.caller.keyId }));
    }),
  ];
}

/** The words of the wire that stand for daemons without a key of their own. */
async function reservedKeys(ctx: Ctx, store: AuthzStore, used: readonly string[]): Promise<ProvisionerKey[]> {
  const system = ctx.as(actors.provisionerd, "names of reserved keys are no secret");
  const ids = [1, 2, 3]
    .map((n) => `00000000-0000-0000-0000-00000000000${n}`)
    .filter((id) => used.includes(id));
  return Promise.all(ids.map((id) => store.getProvisionerKeyById(system, { id })));
}

const statuses: readonly ProvisionerJobStatus[] = [
  "pending",
  "running",
  "succeeded",
  "canceling",
  "canceled",
  "failed",
  "unknown",
];

function jobs(deps: ProvisionerDaemonsDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(provisionerjobs.list, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      if (!can(ctx.actor, "read", { type: "provisioner_jobs", org: organization.id })) throw new NotFound();
      const wanted = listOf(req.search, "status");
      const unknown = wanted.find((name) => !statuses.some((status) => status === name));
      if (unknown !== undefined) {
        throw invalidField(
          "Invalid query parameters.",
          "status",
          `${JSON.stringify(unknown.slice(0, 40))} is no status`,
        );
      }
      const initiator = req.search.get("initiator") ?? "";
      const initiatorId = initiator === "" ? null : parseUuid(initiator);
      if (initiatorId === undefined) {
        throw invalidField("Invalid query parameters.", "initiator", "expected a uuid");
      }
      const rows = await store.getOrganizationJobs(ctx, {
        organizationId: organization.id,
        ids: idsOf(req.search),
        statuses: statuses.filter((status) => wanted.includes(status)),
        initiatorId,
        tags: tagsOf(req.search.get("tags") ?? ""),
        max: Number(req.search.get("limit") ?? 50) || 50,
      });
      return withPlaces(ctx, store, rows);
    }),
    bind(provisionerjobs.get, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const rows = await store.getOrganizationJobs(ctx, {
        organizationId: organization.id,
        ids: [req.params.job],
        statuses: [],
        initiatorId: null,
        tags: {},
        max: 1,
      });
      const [job] = await withPlaces(ctx, store, rows);
      if (!job) throw new NotFound();
      return job;
    }),
  ];
}

async function withPlaces(ctx: Ctx, store: AuthzStore, rows: readonly GetOrganizationJobsRow[]) {
  const pending = rows.filter(({ j }) => j.jobStatus === "pending").map(({ j }) => j.id);
  const seenAfter = new Date(ctx.now().getTime() - staleMs);
  const queues =
    pending.length === 0 ? [] : await store.getProvisionerJobQueues(ctx, { ids: pending, seenAfter });
  const eligible = pending.length === 0 ? [] : await store.getEligibleDaemons(ctx, { jobIds: pending });
  return rows.map((row) => {
    const found = queues.find(({ id }) => id === row.j.id);
    const queue = found && { position: found.position ?? 0, size: found.size ?? 0 };
    const workers = eligible
      .filter(({ jobId, lastSeenAt }) => jobId === row.j.id && lastSeenAt !== null && lastSeenAt >= seenAfter)
      .map(({ daemonId }) => daemonId);
    return toListedJob(row, { queue, workers });
  });
}
