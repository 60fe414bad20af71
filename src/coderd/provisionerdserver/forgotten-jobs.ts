/**
 * Jobs that a daemon took and knows nothing of: it was killed with its disk, or between the server's answer and its own
 * note of it; or the server's answer was lost. A daemon runs one job at a time, so one that asks for a job runs none: what
 * is still open in its name, and silent for three of its heartbeats, is nobody's. (Two daemons of one name are one here;
 * the heartbeats of the other's job keep it.) Without this such jobs waited 5 minutes for the reaper.
 */
import type { Ctx } from "../ctx.ts";
import type { DaemonIdentity, ProvisionerdServerDeps } from "./deps.ts";
import { endJob } from "./end-job.ts";

const heartbeatMs = 5_000;
export const silentMs = 3 * heartbeatMs;

const error =
  "The provisioner daemon asks for new jobs and has not told of this one for 15 seconds: it was stopped in between.";

/** Looks while the daemon waits, until nothing is left or the signal aborts. Never rejects. */
export async function endForgottenJobs(
  ctx: Ctx,
  deps: Pick<ProvisionerdServerDeps, "store" | "pubsub">,
  daemon: Pick<DaemonIdentity, "id">,
  signal: AbortSignal,
): Promise<void> {
  const { store } = deps;
  try {
    while (!signal.aborted) {
      const open = await store.getUnfinishedJobsOfWorkers(ctx, { workerIds: [daemon.id] });
      const before = ctx.now().getTime() - silentMs;
      const silent = open.filter(({ updatedAt }) => updatedAt.getTime() <= before);
      for (const { id } of signal.aborted ? [] : silent) {
        ctx.log.warn("ending a job that its daemon knows nothing of", { job_id: id, daemon_id: daemon.id });
        await endJob(ctx, deps, await store.getProvisionerJobById(ctx, { id }), error);
      }
      if (silent.length === open.length) return;
      await ctx.clock.sleep(heartbeatMs, { signal, tag: "forgotten-jobs", unref: true });
    }
  } catch (problem) {
    if (!signal.aborted && !ctx.signal.aborted) {
      ctx.log.warn("cannot look for forgotten jobs", { error: problem });
    }
  }
}
