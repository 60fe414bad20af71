/**
 * Jobs as domains use them: insert one in the transaction of what it is for, cancel one. Templateversions and
 * wsbuilder call `insertJob`; daemons hear of it after the commit.
 */
import type { Ctx } from "../ctx.ts";
import { ApiError, Invalid } from "../errors.ts";
import { actors } from "../rbac/actors.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { InsertProvisionerJobArg } from "../database/gen/provisionerjobs.gen.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { publishLogs, publishPosting } from "./messages.ts";

/** The caller has checked that the actor may have this done. The posting follows the commit. */
export async function insertJob(
  ctx: Ctx,
  tx: AuthzTx,
  pubsub: Pubsub,
  job: InsertProvisionerJobArg,
): Promise<ProvisionerJob> {
  const row = await tx.insertProvisionerJob(ctx, job);
  tx.afterCommit(() => publishPosting(pubsub, row));
  return row;
}

/**
 * Asks for the job's end. A pending job ends at once, a running one when its daemon hears of it. `expect`: refuse when
 * the job is in another state. The caller has checked the right. Returns the job before the change.
 */
export async function cancelJob(
  ctx: Ctx,
  tx: AuthzTx,
  pubsub: Pubsub,
  options: { readonly jobId: string; readonly expect?: "pending" | "running" | undefined },
): Promise<ProvisionerJob> {
  const system = ctx.as(actors.provisionerd, "the right to cancel was checked on the job's owner");
  const job = await tx.lockProvisionerJob(system, { id: options.jobId });
  if (job.completedAt) throw new Invalid("Job has already completed!");
  if (job.canceledAt) throw new Invalid("Job has already been marked as canceled!");
  if (options.expect && job.jobStatus !== options.expect) {
    throw new ApiError(412, "PreconditionFailed", "Job is not in the expected state.");
  }
  await tx.cancelProvisionerJob(system, { id: job.id, now: ctx.now() });
  if (!job.startedAt) tx.afterCommit(() => publishLogs(pubsub, job.id, { endOfLogs: true }));
  return job;
}
