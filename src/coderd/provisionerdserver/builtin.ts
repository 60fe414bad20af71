/**
 * Daemons inside the server (design §4): they speak the same API over memory streams. They register under the
 * replica's id; jobs that the replica's previous life left behind end at once, with the state that was last written.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { DrpcClient } from "#rpc/drpc/client.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { ProvisionerDaemon as Service } from "#rpc/gen/provisionerd_pb.js";
import type { Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { ProvisionerDaemon } from "#provisionerd/daemon.ts";
import { type JobJournal, type LeftJob, leftJobError } from "#provisionerd/journal.ts";
import { daemonApiVersion } from "#provisionerd/connection.ts";
import type { Ctx } from "../ctx.ts";
import type { ProvisionerType } from "../database/gen/models.gen.ts";
import type { ProvisionerdServerDeps } from "./deps.ts";
import { NotFound } from "../errors.ts";
import { endJob } from "./end-job.ts";
import { keepAlive, registerDaemon } from "./registration.ts";
import { provisionerdRouter } from "./server.ts";

export interface BuiltinOptions {
  /** Acts for daemons; ends with the server. */
  readonly ctx: Ctx;
  readonly deps: ProvisionerdServerDeps;
  readonly clock: Clock;
  readonly log: Logger;
  readonly organizationId: string;
  readonly replicaId: string;
  /** Names become `<name>-<n>`. */
  readonly name: string;
  readonly buildVersion: string;
  readonly count: number;
  /** How long a cancelled job may take to stop by itself. @default 10 minutes */
  readonly forceCancelMs?: number | undefined;
  /** Of this replica: jobs of its previous life, with their last states. */
  readonly journal?: JobJournal | undefined;
  readonly provisioners: Partial<Record<ProvisionerType, DrpcClient<typeof Provisioner>>>;
}

const builtinKeyId = "00000000-0000-0000-0000-000000000001";
/** Daemons without tags take jobs without tags. */
const tags = { scope: "organization", owner: "" };

export interface BuiltinDaemons extends AsyncDisposable {
  /** Ids of the daemons' rows. */
  readonly ids: readonly string[];
  /** Takes no more jobs; resolves when the running ones have ended. */
  shutdown(options: { readonly cancelJobs: boolean }): Promise<void>;
}

export async function startBuiltinDaemons(options: BuiltinOptions): Promise<BuiltinDaemons> {
  const { ctx, deps } = options;
  const types = (["terraform", "echo"] as const).filter((type) => options.provisioners[type] !== undefined);
  const rows = await Promise.all(
    Array.from({ length: options.count }, (_, n) =>
      registerDaemon(ctx, deps.store, {
        id: deps.rand.uuid(),
        organizationId: options.organizationId,
        keyId: builtinKeyId,
        name: `${options.name}-${n}`,
        provisioners: types,
        tags,
        replicaId: options.replicaId,
        version: options.buildVersion,
        apiVersion: daemonApiVersion,
      }),
    ),
  );
  await endJobsOfPreviousLife(ctx, deps, {
    workerIds: rows.map(({ id }) => id),
    left: (await options.journal?.left()) ?? [],
  });
  const stop = new AbortController();
  const running = rows.map((row) => {
    const mine = ctx.until(stop.signal);
    const identity = {
      id: row.id,
      organizationId: row.organizationId,
      types,
      tags,
      apiVersion: daemonApiVersion,
    };
    void keepAlive(mine, deps.store, row.id);
    const open = memoryStreams(provisionerdRouter(mine, deps, identity));
    return ProvisionerDaemon.start({
      connect: async () => ({ client: drpcClient(Service, open), signal: stop.signal, close: () => {} }),
      provisioners: options.provisioners,
      forceCancelMs: options.forceCancelMs,
      clock: options.clock,
      rand: deps.rand,
      log: options.log.named(row.name),
      ...(options.journal ? { journal: options.journal } : {}),
      endLeftJobs: false,
    });
  });
  return {
    ids: rows.map(({ id }) => id),
    async shutdown({ cancelJobs }) {
      await Promise.all(running.map((daemon) => daemon.shutdown({ cancelJob: cancelJobs })));
      stop.abort(new Error("the server shuts down"));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((daemon) => daemon[Symbol.asyncDispose]()));
      stop.abort(new Error("the server shuts down"));
    },
  };
}

/**
 * The journal knows the states, also of daemons that the replica no longer has; the database knows jobs whose journal
 * was lost, which keep the state that they began with.
 */
async function endJobsOfPreviousLife(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  { workerIds, left }: { readonly workerIds: readonly string[]; readonly left: readonly LeftJob[] },
): Promise<void> {
  const states = new Map(left.map(({ jobId, state }) => [jobId, state] as const));
  for (const { id } of await deps.store.getUnfinishedJobsOfWorkers(ctx, { workerIds })) {
    if (!states.has(id)) states.set(id, undefined);
  }
  for (const [id, state] of states) {
    const job = await deps.store.getProvisionerJobById(ctx, { id }).catch((error: unknown) => {
      // The journal may be older than the database.
      if (error instanceof NotFound) return undefined;
      throw error;
    });
    if (!job || job.completedAt) continue;
    ctx.log.warn("ending a job that the server's previous life left behind", {
      job_id: id,
      with_state: state !== undefined,
    });
    await endJob(ctx, deps, job, leftJobError, state);
  }
  for (const { forget } of left) await forget();
}
