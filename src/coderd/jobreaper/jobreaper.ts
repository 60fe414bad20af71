/**
 * Ends jobs that nobody works on (spec provisioning §3.6): never started for 30 minutes, or started and silent for 5.
 * One transaction per job; a job that somebody else holds is left to the next pass. Run by the server, each replica.
 */
import type { Ctx } from "../ctx.ts";
import type { AuthzStore, AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { auditBuild } from "../provisionerdserver/audit-build.ts";
import { publishLogs } from "../provisionerjobs/messages.ts";
import { actors } from "../rbac/actors.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";

export interface ReaperDeps {
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
}

export const reaperIntervalMs = 60_000;
const hungMs = 5 * 60_000;
const pendingMs = 30 * 60_000;
const perPass = 10;
/** More than clocks are adjusted by; far less than a job may be silent. */
const maxJumpMs = 30_000;

/** Passes until ctx ends. Never rejects: what a pass could not do the next one does. */
export async function runJobReaper(
  ctx: Ctx,
  deps: ReaperDeps,
  intervalMs: number = reaperIntervalMs,
): Promise<void> {
  const reaper = ctx.as(actors.jobReaper, "ends jobs that nobody works on");
  const wait = { signal: ctx.signal, tag: "jobreaper", unref: true };
  const { clock } = ctx;
  let last = { wall: ctx.now().getTime(), monotonic: clock.monotonic() };
  for await (const _ of clock.ticks(intervalMs, wait)) {
    const now = { wall: ctx.now().getTime(), monotonic: clock.monotonic() };
    const jump = now.wall - last.wall - (now.monotonic - last.monotonic);
    last = now;
    if (jump > maxJumpMs) {
      // A machine that slept, or whose clock was set: every job looks silent, until its next heartbeat.
      ctx.log.warn("the clock jumped; the job reaper leaves out a pass", {
        seconds: Math.round(jump / 1000),
      });
      continue;
    }
    try {
      await reapOnce(reaper, deps);
    } catch (error) {
      if (!ctx.signal.aborted) ctx.log.error("a pass of the job reaper failed", { error });
    }
  }
}

/** One pass; the ids of the jobs that it ended. */
export async function reapOnce(ctx: Ctx, deps: ReaperDeps): Promise<string[]> {
  const now = ctx.now().getTime();
  const limits = {
    hungBefore: new Date(now - hungMs),
    pendingBefore: new Date(now - pendingMs),
    max: perPass,
  };
  const ended: string[] = [];
  for (const { id } of await deps.store.getHungProvisionerJobIds(ctx, limits)) {
    const done = await deps.store.inTx(ctx, {}, (tx) => reap(ctx, tx, deps, { id, ...limits }));
    if (!done) continue;
    ctx.log.warn("ended a job that nobody works on", { job_id: id });
    ended.push(id);
  }
  return ended;
}

async function reap(
  ctx: Ctx,
  tx: AuthzTx,
  { pubsub }: ReaperDeps,
  target: { readonly id: string; readonly hungBefore: Date; readonly pendingBefore: Date },
): Promise<boolean> {
  const job = await tx.lockProvisionerJobIfFree(ctx, { id: target.id });
  if (!job || job.completedAt) return false;
  const limit = job.startedAt ? target.hungBefore : target.pendingBefore;
  if (job.updatedAt >= limit) return false;
  const [state, minutes] = job.startedAt ? ["hung", 5] : ["pending", 30];
  const found = `Coder: Build has been detected as ${state} for ${minutes} minutes and`;
  const lowest = await addLines(ctx, tx, job, `${found} will be terminated.`);
  const now = ctx.now();
  const error = `${found} has been terminated by the reaper.`;
  await tx.completeProvisionerJob(ctx, { id: job.id, now, startedAt: now, error, errorCode: null });
  tx.afterCommit(() => publishLogs(pubsub, job.id, { createdAfter: lowest - 1, endOfLogs: true }));
  const build = await tx.getBuildOfJob(ctx, { jobId: job.id });
  if (!build) return true;
  const facts = await tx.getWorkspaceForJob(ctx, { buildId: build.id });
  await tx.copyPreviousBuildState(ctx, { buildId: build.id });
  await auditBuild(ctx, tx, { job, facts, statusCode: 500 });
  const event = { kind: "state_change", workspaceId: facts.w.id } as const;
  tx.afterCommit(() => publishWorkspaceEvent(pubsub, facts.w.ownerId, event));
  return true;
}

/** Tells the readers of the log, in the stage where it stopped. The lowest id of the new lines. */
async function addLines(ctx: Ctx, tx: AuthzTx, job: ProvisionerJob, text: string): Promise<number> {
  const last = await tx.getLastProvisionerJobLog(ctx, { jobId: job.id });
  const outputs = ["", "====================", text, "====================", ""];
  const from = ctx.now().getTime();
  const ids = await tx.insertProvisionerJobLogs(ctx, {
    jobId: job.id,
    createdAts: outputs.map((_, n) => new Date(from + n)),
    sources: outputs.map(() => "provisioner_daemon"),
    levels: outputs.map(() => "error"),
    stages: outputs.map(() => last?.stage ?? "Unknown"),
    outputs,
  });
  return Math.min(...ids.map(({ id }) => id));
}
