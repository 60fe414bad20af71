/** The end of a workspace build: everything that it left, in one transaction (spec provisioning §6.3). */
import type { CompletedJob_WorkspaceBuild } from "#rpc/gen/provisionerd_pb.js";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import type { GetWorkspaceForJobRow } from "../database/gen/provisionerdserver.gen.ts";
import { prebuildsUserId } from "../database/dbauthz/kinds.ts";
import { type Autostart, nextAllowedAutostart } from "../schedule/autostart.ts";
import { type Deadlines, deadlinesOf } from "../schedule/autostop.ts";
import { quietHoursOf } from "../schedule/quiet-hours.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import { auditBuild } from "./audit-build.ts";
import { wrapped } from "./complete-import.ts";
import type { ProvisionerdServerDeps } from "./deps.ts";
import { insertModules } from "./modules.ts";
import { inputField } from "./own-job.ts";
import { insertResource } from "./resources.ts";
import { insertTimings } from "./timings.ts";

export async function completeBuild(
  ctx: Ctx,
  tx: AuthzTx,
  deps: ProvisionerdServerDeps,
  end: { readonly job: ProvisionerJob; readonly now: Date; readonly result: CompletedJob_WorkspaceBuild },
): Promise<void> {
  const { rand, pubsub } = deps;
  const { job, now, result } = end;
  const buildId = inputField(job, "workspace_build_id");
  const facts = await tx.getWorkspaceForJob(ctx, { buildId });
  const { w: workspace, b: build } = facts;
  await tx.upsertBuildState(ctx, { buildId, state: Buffer.from(result.state) });
  await tx.updateBuildAfterSuccess(ctx, {
    id: buildId,
    now,
    ...deadlines(ctx, deps, facts, now),
    hasAiTask: false,
    hasExternalAgent: result.resources.some(({ type }) => type === "coder_external_agent"),
  });
  const { transition } = build;
  const autostart = autostartOf(facts);
  const nextStartAt = autostart && nextAllowedAutostart(autostart, now);
  if (nextStartAt) await tx.updateWorkspaceNextStart(ctx, { id: workspace.id, nextStartAt });
  for (const resource of result.resources) {
    await insertResource(
      ctx,
      tx,
      { jobId: job.id, transition, workspaceId: workspace.id, rand },
      resource,
    ).catch((cause: unknown) => {
      throw wrapped("execute transaction: insert resource", cause);
    });
  }
  await tx.deleteEarlierAgents(ctx, { workspaceId: workspace.id, buildNumber: build.buildNumber, now });
  await insertModules(ctx, tx, { jobId: job.id, transition, rand }, result.modules);
  await insertTimings(ctx, tx, job.id, result.timings);
  if (transition === "delete") {
    await tx.markWorkspaceDeleted(ctx, { id: workspace.id, now });
    await tx.deleteAgentsOfWorkspace(ctx, { workspaceId: workspace.id, now });
  }
  await auditBuild(ctx, tx, { job, facts, statusCode: 200 });
  const event = { kind: "state_change", workspaceId: workspace.id } as const;
  tx.afterCommit(() => publishWorkspaceEvent(pubsub, workspace.ownerId, event));
}

const autostartOf = ({ w: workspace, t: template }: GetWorkspaceForJobRow): Autostart | null =>
  workspace.autostartSchedule && template.allowUserAutostart
    ? { schedule: workspace.autostartSchedule, allowedDays: template.autostartDaysOfWeek }
    : null;

/** When the workspace stops by itself. Infrastructure that is there must not be refused over its schedule. */
function deadlines(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  facts: GetWorkspaceForJobRow,
  now: Date,
): Deadlines {
  const { w: workspace, t: template } = facts;
  if (workspace.ownerId === prebuildsUserId) return { deadline: null, maxDeadline: null };
  const rules = {
    completedAt: now,
    ttlMs: workspace.ttlMs,
    defaultTtlMs: template.defaultTtlMs,
    allowUserAutostop: template.allowUserAutostop,
    autostart: autostartOf(facts),
    quietHours: quietHoursOf(facts.ownerQuietHours, deps.quietHours),
  };
  const requirement = {
    days: template.autostopRequirementDaysOfWeek,
    weeks: template.autostopRequirementWeeks,
  };
  try {
    return deadlinesOf({ ...rules, requirement });
  } catch (error) {
    ctx.log.error("a build ends without the stop that its template requires", {
      workspace_id: workspace.id,
      error,
    });
    return deadlinesOf({ ...rules, requirement: { days: 0, weeks: 0 } });
  }
}
