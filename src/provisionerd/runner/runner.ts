/**
 * Runs one job (spec provisioning §4): opens a session with the engine, does the job's steps, keeps the server
 * informed, and reports exactly one end. A job fails when an update cannot be sent, when a cancel is not followed for
 * a while, and when the daemon is killed.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Logger } from "#slog/slog.ts";
import type { DrpcClient } from "#rpc/drpc/client.ts";
import { LogSource, type AcquiredJob } from "#rpc/gen/provisionerd_pb.js";
import { LogLevel, type Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { SessionClient } from "#provisionersdk/client.ts";
import type { JobApi } from "./api.ts";
import { runBuild } from "./build.ts";
import { runDryRun } from "./dry-run.ts";
import { runImport } from "./import.ts";
import { JobLog } from "./joblog.ts";
import { failed, type JobSteps, type Outcome } from "./steps.ts";

export interface RunnerOptions {
  readonly job: AcquiredJob;
  readonly api: JobApi;
  readonly provisioner: DrpcClient<typeof Provisioner>;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly keepState: JobSteps["keepState"];
  /** The daemon wants the job to be cancelled. */
  readonly cancel: AbortSignal;
  /** The daemon cannot wait any longer: the reason's message becomes the job's error. */
  readonly kill: AbortSignal;
  /** How long a cancelled job may take to stop by itself. @default 10 minutes */
  readonly forceCancelMs?: number | undefined;
}

const defaultForceCancelMs = 10 * 60_000;

/** Resolves when the server knows how the job ended. */
export async function runJob(options: RunnerOptions): Promise<void> {
  const { api, clock, log, job, forceCancelMs = defaultForceCancelMs } = options;
  const doomed = new AbortController();
  const canceled = new AbortController();
  const jobLog = new JobLog(clock, {
    send: async (update) => {
      const answer = await api.update(update);
      if (answer.canceled) canceled.abort(new Error("canceled"));
      return answer;
    },
    onError: (error) => doomed.abort(new Error(`send periodic update: ${messageOf(error)}`)),
  });
  const cancel = AbortSignal.any([canceled.signal, options.cancel]);
  const forceCancel = clock.timer(forceCancelMs, () => doomed.abort(new Error("Cancel timed out")), {
    unref: true,
  });
  forceCancel.stop();
  cancel.addEventListener("abort", () => forceCancel.reset(forceCancelMs), { once: true });
  const end = AbortSignal.any([doomed.signal, options.kill]);
  try {
    await report(await work(options, jobLog, cancel, end), api, log);
  } finally {
    forceCancel.stop();
    jobLog.stop();
  }
  log.info("job ended", { job_id: job.jobId });
}

async function work(
  options: RunnerOptions,
  log: JobLog,
  cancel: AbortSignal,
  end: AbortSignal,
): Promise<Outcome> {
  const { job, api, rand, provisioner, keepState } = options;
  try {
    log.stage("Setting up");
    await using session = await SessionClient.start(provisioner, {
      config: sessionConfig(job),
      onLog: (line) => log.add(line.level, line.output),
      signal: end,
    });
    const stop = () => void session.cancel().catch(() => {});
    if (cancel.aborted) stop();
    cancel.addEventListener("abort", stop, { once: true });
    const outcome = await runSteps({ job, api, rand, session, log, keepState });
    cancel.removeEventListener("abort", stop);
    log.stage("Cleaning Up");
    await log.flush();
    return outcome;
  } catch (error) {
    const reason: unknown = end.aborted ? end.reason : error;
    options.log.warn("job broke off", { job_id: job.jobId, error: reason });
    return failed(messageOf(reason), { type: emptyFailure(job) });
  }
}

function runSteps(steps: JobSteps): Promise<Outcome> {
  const { type } = steps.job;
  switch (type.case) {
    case "templateImport":
      return runImport(steps, type.value);
    case "templateDryRun":
      return runDryRun(steps, type.value);
    case "workspaceBuild":
      return runBuild(steps, type.value);
    case undefined: {
      const text = "unknown job type; ensure your provisioner daemon is up-to-date";
      steps.log.add(LogLevel.ERROR, text, LogSource.PROVISIONER_DAEMON);
      return Promise.resolve(failed(text));
    }
  }
}

async function report(outcome: Outcome, api: JobApi, log: Logger): Promise<void> {
  if ("failed" in outcome) return api.fail(outcome.failed);
  try {
    await api.complete(outcome.completed);
  } catch (error) {
    log.warn("the server did not take the result of a job", { error });
    await api.fail({
      error: `internal provisionerserver error: ${messageOf(error)}`,
      ...stateOf(outcome.completed),
    });
  }
}

/** A refused result still carries the state of what was made. */
function stateOf(
  completed: Extract<Outcome, { completed: unknown }>["completed"],
): Partial<Parameters<JobApi["fail"]>[0]> {
  switch (completed.case) {
    case "workspaceBuild": {
      const state = completed.value?.state;
      return { type: { case: "workspaceBuild", value: state && state.length > 0 ? { state } : {} } };
    }
    case "templateImport":
      return { type: { case: "templateImport", value: {} } };
    case "templateDryRun":
      return { type: { case: "templateDryRun", value: {} } };
    case undefined:
      return {};
  }
}

function sessionConfig({ type }: AcquiredJob) {
  switch (type.case) {
    case "workspaceBuild": {
      const { logLevel, metadata } = type.value;
      return { provisionerLogLevel: logLevel, ...templateIds(metadata) };
    }
    case "templateImport":
      return templateIds(type.value.metadata);
    case "templateDryRun":
    case undefined:
      return {};
  }
}

function templateIds(metadata: { templateId: string; templateVersionId: string } | undefined) {
  const { templateId = "", templateVersionId = "" } = metadata ?? {};
  return {
    ...(templateId === "" ? {} : { templateId }),
    ...(templateVersionId === "" ? {} : { templateVersionId }),
  };
}

function emptyFailure({ type }: AcquiredJob) {
  switch (type.case) {
    case "workspaceBuild":
      return { case: "workspaceBuild", value: {} } as const;
    case "templateImport":
      return { case: "templateImport", value: {} } as const;
    case "templateDryRun":
      return { case: "templateDryRun", value: {} } as const;
    case undefined:
      return { case: undefined };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
