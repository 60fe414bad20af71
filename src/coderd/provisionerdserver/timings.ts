/** How long the steps of a job took: entries without both times, or of an unknown stage, are left out. */
import type { Timing } from "#rpc/gen/provisionersdk_pb.js";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerJobTimingStage } from "../database/gen/models.gen.ts";

export async function insertTimings(
  ctx: Ctx,
  tx: AuthzTx,
  jobId: string,
  timings: readonly Timing[],
): Promise<void> {
  const rows = timings.flatMap((timing) => {
    const stage = stageOf(timing.stage);
    const startedAt = toDate(timing.start);
    const endedAt = toDate(timing.end);
    return stage && startedAt && endedAt ? [{ timing, stage, startedAt, endedAt }] : [];
  });
  if (rows.length === 0) return;
  await tx.insertProvisionerJobTimings(ctx, {
    jobId,
    stages: rows.map(({ stage }) => stage),
    sources: rows.map(({ timing }) => timing.source),
    actions: rows.map(({ timing }) => timing.action),
    resources: rows.map(({ timing }) => timing.resource),
    startedAts: rows.map(({ startedAt }) => startedAt),
    endedAts: rows.map(({ endedAt }) => endedAt),
  });
}

function stageOf(name: string): ProvisionerJobTimingStage | undefined {
  switch (name) {
    case "init":
    case "plan":
    case "graph":
    case "apply":
      return name;
    default:
      return undefined;
  }
}

function toDate(time: Timing["start"]): Date | undefined {
  if (!time || time.seconds <= 0n) return undefined;
  return new Date(Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6));
}
