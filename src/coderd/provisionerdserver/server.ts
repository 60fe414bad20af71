/**
 * Server side of the daemon API (spec provisioning §2–6): turns database rows into jobs, and what daemons report into
 * rows. One router per connected daemon; external daemons reach it over yamux, built-in ones in memory.
 */
import { drpcRouter, type DrpcRouter } from "#rpc/drpc/server.ts";
import { ProvisionerDaemon } from "#rpc/gen/provisionerd_pb.js";
import type { Ctx } from "../ctx.ts";
import { acquireByPoll, acquireWithCancel } from "./acquire.ts";
import { completeJob } from "./complete-job.ts";
import type { DaemonIdentity, ProvisionerdServerDeps } from "./deps.ts";
import { failJob } from "./fail-job.ts";
import { downloadFile, uploadFile } from "./files.ts";
import { commitQuota } from "./quota.ts";
import { updateJob } from "./update-job.ts";

/** `ctx` acts for daemons (`actors.provisionerd`) and lives as long as the connection. */
export function provisionerdRouter(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  daemon: DaemonIdentity,
): DrpcRouter {
  return drpcRouter(ProvisionerDaemon, {
    acquireJob: () => acquireByPoll(ctx, deps, daemon),
    acquireJobWithCancel: (stream) => acquireWithCancel(ctx, deps, daemon, stream),
    commitQuota: (request) => commitQuota(ctx, deps, daemon, request),
    updateJob: (request) => updateJob(ctx, deps, daemon, request),
    failJob: async (request) => {
      await failJob(ctx, deps, daemon, request);
      return {};
    },
    completeJob: async (request) => {
      await completeJob(ctx, deps, daemon, request);
      return {};
    },
    uploadFile: (stream) => uploadFile(ctx, deps, stream),
    downloadFile: (request, stream) => downloadFile(ctx, deps, request, stream),
  });
}
