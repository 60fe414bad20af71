/** Ends a job with an error on the server's own account, and tells its readers. */
import type { Ctx } from "../ctx.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import { publishLogs } from "../provisionerjobs/messages.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import { auditBuild } from "./audit-build.ts";
import type { ProvisionerdServerDeps } from "./deps.ts";

export async function endJob(
  ctx: Ctx,
  deps: Pick<ProvisionerdServerDeps, "store" | "pubsub">,
  job: ProvisionerJob,
  error: string,
  /** Of a build: what was left of it. */
  state?: Buffer,
): Promise<void> {
  const { store, pubsub } = deps;
  await store.inTx(ctx, {}, async (tx) => {
    const locked = await tx.lockProvisionerJob(ctx, { id: job.id });
    if (locked.completedAt) return;
    const now = ctx.now();
    await tx.completeProvisionerJob(ctx, { id: job.id, now, startedAt: now, error, errorCode: null });
    tx.afterCommit(() => publishLogs(pubsub, job.id, { endOfLogs: true }));
    const build = await tx.getBuildOfJob(ctx, { jobId: job.id });
    if (!build) return;
    if (state) await tx.upsertBuildState(ctx, { buildId: build.id, state });
    const facts = await tx.getWorkspaceForJob(ctx, { buildId: build.id });
    await auditBuild(ctx, tx, { job, facts, statusCode: 500 });
    const event = { kind: "state_change", workspaceId: facts.w.id } as const;
    tx.afterCommit(() => publishWorkspaceEvent(pubsub, facts.w.ownerId, event));
  });
}
