/** `FailJob` (spec provisioning §6.1): the job's end and the state that was left, in one transaction. */
import { DrpcError } from "#rpc/drpc/call.ts";
import type { FailedJob } from "#rpc/gen/provisionerd_pb.js";
import type { Ctx } from "../ctx.ts";
import { publishLogs } from "../provisionerjobs/messages.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import { auditBuild } from "./audit-build.ts";
import type { DaemonIdentity, ProvisionerdServerDeps } from "./deps.ts";
import { inputField, lockOwnJob, mustRun } from "./own-job.ts";
import { insertTimings } from "./timings.ts";

export async function failJob(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  daemon: DaemonIdentity,
  failed: FailedJob,
): Promise<void> {
  const { store, pubsub } = deps;
  await store.inTx(ctx, {}, async (tx) => {
    const job = await lockOwnJob(ctx, tx, daemon, failed.jobId);
    mustRun(job);
    const { type } = failed;
    const now = ctx.now();
    await tx.completeProvisionerJob(ctx, {
      id: job.id,
      now,
      startedAt: now,
      error: failed.error === "" ? null : failed.error,
      errorCode: failed.errorCode === "" ? null : failed.errorCode,
    });
    tx.afterCommit(() => publishLogs(pubsub, job.id, { endOfLogs: true }));
    if (job.type !== "workspace_build") return;
    if (type.case !== undefined && type.case !== "workspaceBuild") {
      throw new DrpcError(`a ${job.type} job cannot fail as ${type.case}`);
    }
    const buildId = inputField(job, "workspace_build_id");
    const facts = await tx.getWorkspaceForJob(ctx, { buildId });
    if (type.case === "workspaceBuild") {
      if (type.value.state.length > 0) {
        await tx.upsertBuildState(ctx, { buildId, state: Buffer.from(type.value.state) });
      }
      await insertTimings(ctx, tx, job.id, type.value.timings);
    }
    await auditBuild(ctx, tx, { job, facts, statusCode: 500 });
    const event = { kind: "state_change", workspaceId: facts.w.id } as const;
    tx.afterCommit(() => publishWorkspaceEvent(pubsub, facts.w.ownerId, event));
  });
}
