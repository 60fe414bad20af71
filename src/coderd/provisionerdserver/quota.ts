/**
 * `CommitQuota` (spec provisioning §6.6). There are no budgets without the groups that give them: the cost is kept with
 * the build, and every build is within its budget of −1.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { DrpcError } from "#rpc/drpc/call.ts";
import type { CommitQuotaRequest, CommitQuotaResponseSchema } from "#rpc/gen/provisionerd_pb.js";
import type { Ctx } from "../ctx.ts";
import type { DaemonIdentity, ProvisionerdServerDeps } from "./deps.ts";
import { inputField, lockOwnJob, mustRun } from "./own-job.ts";

export async function commitQuota(
  ctx: Ctx,
  { store }: ProvisionerdServerDeps,
  daemon: DaemonIdentity,
  request: CommitQuotaRequest,
): Promise<MessageInitShape<typeof CommitQuotaResponseSchema>> {
  await store.inTx(ctx, {}, async (tx) => {
    const job = await lockOwnJob(ctx, tx, daemon, request.jobId);
    mustRun(job);
    if (job.type !== "workspace_build") throw new DrpcError(`a ${job.type} job has no cost`);
    await tx.updateBuildDailyCost(ctx, {
      id: inputField(job, "workspace_build_id"),
      dailyCost: request.dailyCost,
    });
  });
  return { ok: true, creditsConsumed: 0, budget: -1 };
}
