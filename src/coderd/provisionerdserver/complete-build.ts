/** The end of a workspace build: everything that it left, in one transaction (spec provisioning §6.3). */
import type { CompletedJob_WorkspaceBuild } from "#rpc/gen/provisionerd_pb.js";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import type { GetWorkspaceForJobRow } from "../database/gen/provisionerdserver.gen.ts";
import { prebuildsUserId } from "../database/dbauthz/kinds.ts";
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
  end: { readonly job: ProvisionerJob; readonly result: CompletedJob_WorkspaceBuild },
): Promise<void> {
  const { rand, pubsub } = deps;
  const { job, result } = end;
  const buildId = inputField(job, "workspace_build_id");
  const facts = await tx.getWorkspaceForJob(ctx, { buildId });
  const { w: workspace, b: build } = facts;
  const now = ctx.now();
  await tx.upsertBuildState(ctx, { buildId, state: Buffer.from(result.state) });
  await tx.updateBuildAfterSuccess(ctx, {
    id: buildId,
    now,
    deadline: deadline(facts, now),
    maxDeadline: null,
    hasAiTask: false,
    hasExternalAgent: result.resources.some(({ type }) => type === "coder_external_agent"),
  });
  const { transition } = build;
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

/** When the workspace stops by itself: its own time to live, or the template's where users may not choose. */
function deadline({ w: workspace, t: template }: GetWorkspaceForJobRow, now: Date): Date | null {
  if (workspace.ownerId === prebuildsUserId) return null;
  const ttlMs = template.allowUserAutostop ? (workspace.ttlMs ?? 0) : template.defaultTtlMs;
  return ttlMs > 0 ? new Date(now.getTime() + ttlMs) : null;
}
