/** The checks that begin every report of a daemon: the job exists, runs, and is this daemon's. */
import { DrpcError } from "#rpc/drpc/call.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import type { DaemonIdentity } from "./deps.ts";

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Locks the job's row: reports and the reaper come one after another. */
export async function lockOwnJob(
  ctx: Ctx,
  tx: AuthzTx,
  daemon: DaemonIdentity,
  jobId: string,
): Promise<ProvisionerJob> {
  if (!uuid.test(jobId)) {
    throw new DrpcError(`parse job id: ${JSON.stringify(jobId.slice(0, 100))} is no uuid`);
  }
  const job = await tx.lockProvisionerJob(ctx, { id: jobId });
  if (!job.startedAt) throw new DrpcError("job isn't running yet");
  if (job.workerId !== daemon.id) throw new DrpcError("you don't own this job");
  return job;
}

export function mustRun(job: ProvisionerJob): void {
  if (job.completedAt) throw new DrpcError("job already completed");
}

/** The field of a job's input, which our own server has written. */
export function inputField(job: ProvisionerJob, field: string): string {
  const { input } = job;
  const value =
    typeof input === "object" && input !== null
      ? Object.entries(input).find(([key]) => key === field)
      : undefined;
  const [, text] = value ?? [];
  if (typeof text !== "string") throw new Error(`job ${job.id} has no ${field} in its input`);
  return text;
}
