/** Gives jobs to daemons: `AcquireJobWithCancel`, and the old polling `AcquireJob`. */
import { create, toBinary } from "@bufbuild/protobuf";
import { DrpcError } from "#rpc/drpc/call.ts";
import type { MessageStream } from "#rpc/drpc/messages.ts";
import { maxPacket } from "#rpc/drpc/wire.ts";
import { AcquiredJobSchema, type AcquiredJob, type CancelAcquireSchema } from "#rpc/gen/provisionerd_pb.js";
import type { Ctx } from "../ctx.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import type { DaemonIdentity, ProvisionerdServerDeps } from "./deps.ts";
import { acquiredJob } from "./acquired-job.ts";
import { endForgottenJobs } from "./forgotten-jobs.ts";
import { endJob } from "./end-job.ts";

const pollMs = 5_000;

/** Exactly one answer: a job, or an empty one when the daemon cancels or the server leaves. */
export async function acquireWithCancel(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  daemon: DaemonIdentity,
  stream: MessageStream<typeof AcquiredJobSchema, typeof CancelAcquireSchema>,
): Promise<void> {
  const cancel = new AbortController();
  let broken = false;
  const listening = stream.receive().then(
    (message) => {
      broken = message === undefined;
      cancel.abort();
    },
    () => {
      broken = true;
      cancel.abort();
    },
  );
  const job = await take(ctx, deps, daemon, AbortSignal.any([cancel.signal, deps.leaving, ctx.signal]));
  // A message of the daemon counts; a cancel that crosses a job does not undo it: the daemon runs the job.
  if (job && broken) {
    await endJob(ctx, deps, job, "connection to provisioner daemon broken");
    return;
  }
  const message = job ? await prepare(ctx, deps, job) : create(AcquiredJobSchema, {});
  try {
    await stream.send(message);
  } catch (error) {
    if (job) await endJob(ctx, deps, job, "connection to provisioner daemon broken");
    throw error;
  } finally {
    cancel.abort();
    void listening;
  }
}

export async function acquireByPoll(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  daemon: DaemonIdentity,
): Promise<AcquiredJob> {
  const late = new AbortController();
  const timer = ctx.clock.timer(pollMs, () => late.abort(), { tag: "acquire-poll", unref: true });
  try {
    const job = await take(ctx, deps, daemon, AbortSignal.any([late.signal, deps.leaving, ctx.signal]));
    return job ? await prepare(ctx, deps, job) : create(AcquiredJobSchema, {});
  } finally {
    timer.stop();
  }
}

async function take(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  daemon: DaemonIdentity,
  signal: AbortSignal,
): Promise<ProvisionerJob | undefined> {
  const { organizationId, types, tags } = daemon;
  const taken = new AbortController();
  void endForgottenJobs(ctx, deps, daemon, AbortSignal.any([signal, taken.signal]));
  try {
    return await deps.acquirer.acquire(ctx, { organizationId, workerId: daemon.id, types, tags }, signal);
  } finally {
    taken.abort(new Error("the daemon has its job"));
  }
}

async function prepare(ctx: Ctx, deps: ProvisionerdServerDeps, job: ProvisionerJob): Promise<AcquiredJob> {
  try {
    const message = await acquiredJob(ctx, deps, job);
    const size = toBinary(AcquiredJobSchema, message).length;
    if (size > maxPacket) throw new Error(`payload was too big: ${size} > ${maxPacket}`);
    return message;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    ctx.log.error("a job cannot be given to a daemon", { job_id: job.id, error });
    await endJob(ctx, deps, job, text);
    throw new DrpcError(`request job was invalidated: ${text}`, 0n, { cause: error });
  }
}
