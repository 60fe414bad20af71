/**
 * A provisioner daemon (spec provisioning §2–4): a client of the server that acquires one job at a time, runs it with
 * the engine of the job's type, and reports. Built-in daemons run it inside the server over memory streams, external
 * ones dial in (connection.ts).
 *
 * Promises: a job that the server handed out is run and its end reported, whatever happens to the connection; after
 * `shutdown` no new job is taken.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Logger } from "#slog/slog.ts";
import type { DrpcClient } from "#rpc/drpc/client.ts";
import type { AcquiredJob } from "#rpc/gen/provisionerd_pb.js";
import type { Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { NotAuthorizedError, Reconnecting, type Connect } from "./connection.ts";
import { type JobJournal, leftJobError } from "./journal.ts";
import { jobApi } from "./runner/api.ts";
import { runJob } from "./runner/runner.ts";

export interface DaemonOptions {
  readonly connect: Connect;
  /** Engines by provisioner type ("terraform", "echo"), as session services. */
  readonly provisioners: Readonly<Record<string, DrpcClient<typeof Provisioner>>>;
  /** How long a cancelled job may take to stop by itself. @default 10 minutes */
  readonly forceCancelMs?: number | undefined;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  /** Where jobs are noted for the next life; without it a killed daemon's jobs wait for the reaper. */
  readonly journal?: JobJournal;
  /** Ends the jobs of the daemon's previous life. The server does it for its built-in daemons. @default true */
  readonly endLeftJobs?: boolean;
}

const acquireBackoff = { firstMs: 10, lastMs: 1_000 };
const lastReportMs = 1_000;

export class ProvisionerDaemon implements AsyncDisposable {
  readonly #options: DaemonOptions;
  readonly #server: Reconnecting;
  /** In the order of urgency: no new job; cancel the job; stop at once. */
  readonly #leaving = new AbortController();
  readonly #cancelJob = new AbortController();
  readonly #kill = new AbortController();
  readonly #closed = new AbortController();
  readonly #loop: Promise<void>;

  static start(options: DaemonOptions): ProvisionerDaemon {
    return new ProvisionerDaemon(options);
  }

  private constructor(options: DaemonOptions) {
    this.#options = options;
    this.#server = new Reconnecting(options.connect, options);
    this.#loop = this.#run();
  }

  /** Resolves when the daemon has stopped; rejects with NotAuthorizedError if the server does not want it. */
  get done(): Promise<void> {
    return this.#loop;
  }

  /** Takes no new job; resolves when the present one has ended. `cancelJob` asks it to end early. */
  async shutdown(options: { readonly cancelJob: boolean }): Promise<void> {
    this.#leaving.abort(new Error("the daemon shuts down"));
    if (options.cancelJob) this.#cancelJob.abort(new Error("the daemon shuts down"));
    await this.#loop.catch(() => {});
    this.#closed.abort(new Error("the daemon is closed"));
    this.#server.close();
  }

  /** Ends at once: a running job fails, with a second for the report. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock } = this.#options;
    this.#kill.abort(new Error("provisioner daemon was shutdown gracefully"));
    const timer = clock.timer(lastReportMs, () => this.#closed.abort(new Error("the daemon is closed")), {
      tag: "provisionerd-last-report",
    });
    await this.shutdown({ cancelJob: true });
    timer.stop();
  }

  async #run(): Promise<void> {
    const { clock, log, journal, endLeftJobs = true } = this.#options;
    if (journal && endLeftJobs) await this.#endLeftJobs(journal);
    let waitMs = acquireBackoff.firstMs;
    while (!this.#leaving.signal.aborted) {
      try {
        const job = await this.#acquire();
        if (job) {
          waitMs = acquireBackoff.firstMs;
          await this.#runJob(job);
          continue;
        }
      } catch (error) {
        if (error instanceof NotAuthorizedError) throw error;
        if (this.#leaving.signal.aborted) return;
        log.warn("cannot acquire a job", { error });
      }
      // Also after an empty answer: a server that leaves gives those at once.
      const wait = { signal: this.#leaving.signal, tag: "provisionerd-acquire" };
      await clock.sleep(waitMs, wait).catch(() => {});
      waitMs = Math.min(waitMs * 2, acquireBackoff.lastMs);
    }
  }

  /** Waits for a job. When the daemon leaves meanwhile, a job that was already taken still comes back, to be run. */
  async #acquire(): Promise<AcquiredJob | undefined> {
    const leaving = this.#leaving.signal;
    const { client } = await this.#server.connection(leaving);
    await using stream = client.acquireJobWithCancel({ signal: this.#closed.signal });
    const cancel = () => void stream.send({}).catch(() => {});
    leaving.addEventListener("abort", cancel, { once: true });
    try {
      if (leaving.aborted) cancel();
      const job = await stream.receive();
      return job && job.jobId !== "" ? job : undefined;
    } finally {
      leaving.removeEventListener("abort", cancel);
    }
  }

  /** What the previous life of this daemon left behind ends before anything new begins. */
  async #endLeftJobs(journal: JobJournal): Promise<void> {
    const { clock, log } = this.#options;
    for (const { jobId, isBuild, state, forget } of await journal.left()) {
      const api = jobApi(jobId, this.#server, { clock, signal: this.#leaving.signal });
      const value = state ? { state } : {};
      try {
        await api.fail({
          error: leftJobError,
          ...(isBuild ? { type: { case: "workspaceBuild", value } } : {}),
        });
        log.warn("ended a job that this daemon's previous life left behind", { job_id: jobId });
      } catch (error) {
        if (error instanceof NotAuthorizedError) throw error;
        if (this.#leaving.signal.aborted) return;
        // It has ended already, or it is another server's.
        log.warn("the server does not take the end of a job of this daemon's previous life", {
          job_id: jobId,
          error,
        });
      }
      await forget();
    }
  }

  async #runJob(job: AcquiredJob): Promise<void> {
    const { clock, rand, provisioners, forceCancelMs, journal } = this.#options;
    const log = this.#options.log.with({ job_id: job.jobId });
    const api = jobApi(job.jobId, this.#server, { clock, signal: this.#closed.signal });
    log.info("acquired job", { type: job.type.case, provisioner: job.provisioner });
    try {
      const provisioner = provisioners[job.provisioner];
      if (!provisioner) {
        return await api.fail({ error: `no provisioner ${JSON.stringify(job.provisioner)} registered` });
      }
      const buildId = job.type.case === "workspaceBuild" ? job.type.value.workspaceBuildId : "";
      await journal?.begin(job.jobId, buildId);
      const signals = { cancel: this.#cancelJob.signal, kill: this.#kill.signal };
      const keepState = async (state: Uint8Array): Promise<void> => journal?.keepState(job.jobId, state);
      await runJob({ job, api, provisioner, forceCancelMs, clock, rand, log, keepState, ...signals });
      await journal?.end(job.jobId);
    } catch (error) {
      log.error("cannot report the end of a job", { error });
    }
  }
}
