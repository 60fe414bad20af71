/** Builds: one, cancel, log, parameters, resources, state (spec lifecycle §4). */
import { workspacebuilds } from "#codersdk/workspacebuilds.ts";
import type { Ctx } from "../ctx.ts";
import { template as templateKind } from "../database/dbauthz/kinds.ts";
import type { GetBuildToReadRow } from "../database/gen/wsbuilder.gen.ts";
import { Forbidden, Invalid, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody, rawReply } from "../httpapi/reply.ts";
import { cancelJob } from "../provisionerjobs/jobs.ts";
import { logsOf } from "../provisionerjobs/logs-answer.ts";
import { actors } from "../rbac/actors.ts";
import { can } from "../rbac/subject.ts";
import { findWorkspace, loadBuilds, loadResources, type ViewDeps } from "../workspaceview/load.ts";
import { loadTimings } from "../workspaceview/timings.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import type { LogDeps } from "../provisionerjobs/logs.ts";

export interface WorkspaceBuildsDeps extends ViewDeps, LogDeps {}

export function routes(deps: WorkspaceBuildsDeps): BoundRoute[] {
  return [...reading(deps), ...states(deps)];
}

function find(ctx: Ctx, { store }: WorkspaceBuildsDeps, id: string): Promise<GetBuildToReadRow> {
  return store.getBuildToRead(ctx, { id });
}

function reading(deps: WorkspaceBuildsDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(workspacebuilds.get, async (ctx, req) => {
      const { b, w } = await find(ctx, deps, req.params.workspacebuild);
      const row = await findWorkspace(deps, ctx, { id: w.id });
      const [build] = await loadBuilds(deps, ctx, row, { id: b.id });
      if (!build) throw new NotFound();
      return build;
    }),
    bind(workspacebuilds.cancel, async (ctx, req) => {
      const found = await find(ctx, deps, req.params.workspacebuild);
      const expect = expectStatus(req.query().expect_status);
      await cancel(ctx, deps, found, expect);
      return { message: "Job has been marked as canceled..." };
    }),
    bind(workspacebuilds.logs, async (ctx, req) => {
      const { j } = await find(ctx, deps, req.params.workspacebuild);
      return logsOf(ctx, deps, j.id, req.query());
    }),
    bind(workspacebuilds.parameters, async (ctx, req) => {
      const { b } = await find(ctx, deps, req.params.workspacebuild);
      return store.getBuildParameters(ctx, { buildId: b.id });
    }),
    bind(workspacebuilds.resources, async (ctx, req) => {
      const { j } = await find(ctx, deps, req.params.workspacebuild);
      if (!j.completedAt) throw new Invalid("Job hasn't completed!");
      return loadResources(deps, ctx, j.id);
    }),
    bind(workspacebuilds.timings, async (ctx, req) => {
      const { j } = await find(ctx, deps, req.params.workspacebuild);
      return loadTimings(store, ctx, j.id);
    }),
  ];
}

function expectStatus(text: string): "pending" | "running" | undefined {
  if (text === "") return undefined;
  if (text === "pending" || text === "running") return text;
  throw new Invalid(`Invalid expect_status "${text}". Only 'running' or 'pending' are allowed.`);
}

async function cancel(
  ctx: Ctx,
  { store, pubsub }: WorkspaceBuildsDeps,
  { b, w, allowUserCancelWorkspaceJobs }: GetBuildToReadRow,
  expect: "pending" | "running" | undefined,
): Promise<void> {
  const allowed = expect === "pending" || allowUserCancelWorkspaceJobs || ctx.actor.roles.includes("owner");
  if (!allowed) {
    throw new Forbidden("User is not allowed to cancel workspace builds. Owner role is required.");
  }
  await store.inTx(ctx, {}, async (tx) => {
    await cancelJob(ctx, tx, pubsub, { jobId: b.jobId, expect });
    const event = { kind: "state_change", workspaceId: w.id } as const;
    tx.afterCommit(() => publishWorkspaceEvent(pubsub, w.ownerId, event));
  });
}

function states(deps: WorkspaceBuildsDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(workspacebuilds.state, async (ctx, req) => {
      const found = await find(ctx, deps, req.params.workspacebuild);
      mustManageTemplate(ctx, found);
      const system = ctx.as(actors.provisionerd, "the state of a build whose template the caller manages");
      const row = await store.getBuildState(system, { buildId: found.b.id });
      return rawReply(200, row?.state ?? Buffer.alloc(0), {
        headers: { "content-type": "application/json" },
      });
    }),
    bind(workspacebuilds.setState, async (ctx, req) => {
      const found = await find(ctx, deps, req.params.workspacebuild);
      mustManageTemplate(ctx, found);
      const system = ctx.as(actors.provisionerd, "the state of a build whose template the caller manages");
      await store.upsertBuildState(system, { buildId: found.b.id, state: Buffer.from(req.body().state) });
      return noBody(204);
    }),
  ];
}

function mustManageTemplate(ctx: Ctx, row: GetBuildToReadRow): void {
  const facts = {
    id: row.templateId,
    organizationId: row.templateOrganizationId,
    userAcl: row.templateUserAcl,
    groupAcl: row.templateGroupAcl,
  };
  if (!can(ctx.actor, "update", templateKind.of(facts))) throw new NotFound();
}
