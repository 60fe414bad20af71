/** `CompleteJob`: a job's result and its end, in one transaction; readers hear of it after the commit. */
import { DrpcError } from "#rpc/drpc/call.ts";
import type { CompletedJob } from "#rpc/gen/provisionerd_pb.js";
import type { Ctx } from "../ctx.ts";
import { publishLogs } from "../provisionerjobs/messages.ts";
import { completeBuild } from "./complete-build.ts";
import { completeImport } from "./complete-import.ts";
import type { DaemonIdentity, ProvisionerdServerDeps } from "./deps.ts";
import { insertModules } from "./modules.ts";
import { lockOwnJob, mustRun } from "./own-job.ts";
import { insertResource } from "./resources.ts";

const jobTypes = {
  templateImport: "template_version_import",
  workspaceBuild: "workspace_build",
  templateDryRun: "template_version_dry_run",
} as const;

export async function completeJob(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  daemon: DaemonIdentity,
  completed: CompletedJob,
): Promise<void> {
  const { store, pubsub, rand } = deps;
  await store.inTx(ctx, {}, async (tx) => {
    const job = await lockOwnJob(ctx, tx, daemon, completed.jobId);
    mustRun(job);
    const { type } = completed;
    if (type.case === undefined || jobTypes[type.case] !== job.type) {
      throw new DrpcError(`a ${job.type} job cannot complete as ${type.case ?? "nothing"}`);
    }
    const now = ctx.now();
    await tx.completeProvisionerJob(ctx, { id: job.id, now, startedAt: now, error: null, errorCode: null });
    tx.afterCommit(() => publishLogs(pubsub, job.id, { endOfLogs: true }));
    switch (type.case) {
      case "templateImport":
        return completeImport(ctx, tx, deps, { daemon, job, result: type.value });
      case "workspaceBuild":
        return completeBuild(ctx, tx, deps, { job, now, result: type.value });
      case "templateDryRun": {
        const target = { jobId: job.id, transition: "start", workspaceId: undefined, rand } as const;
        for (const resource of type.value.resources) await insertResource(ctx, tx, target, resource);
        return insertModules(ctx, tx, target, type.value.modules);
      }
    }
  });
}
