/**
 * The scripts of a manifest: all of a stage in parallel, scheduled ones at their times, their output to the log sender,
 * each run reported. Start and scheduled scripts are ended by a shutdown, stop scripts only by their own time limits.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Timing_Stage, Timing_Status, type WorkspaceAgentScript } from "#rpc/gen/agent_pb.js";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { uuidText } from "#tailnet/addresses.ts";
import type { Command, CommandRequest } from "../command/command.ts";
import type { Spawn } from "../command/spawner.ts";
import { expandPath } from "../command/expand.ts";
import type { LogSender } from "../log-sender.ts";
import { durationMs } from "../wire.ts";
import { nextCron, parseCron } from "./cron.ts";
import { runScript, type ScriptRun, type ScriptStatus } from "./run.ts";

export type ScriptStage = "start" | "stop" | "cron";

/** The report of one run, as the server takes it. */
export interface ScriptReport {
  readonly scriptId: Uint8Array;
  readonly start: ReturnType<typeof timestampFromDate>;
  readonly end: ReturnType<typeof timestampFromDate>;
  readonly exitCode: number;
  readonly stage: Timing_Stage;
  readonly status: Timing_Status;
}

export interface ScriptRunnerOptions {
  readonly scripts: readonly WorkspaceAgentScript[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly logs: LogSender;
  /** Where scripts keep data and put programs. */
  readonly dataDir: string;
  readonly logDir: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly command: (request: CommandRequest) => Command;
  readonly spawn?: Spawn;
  /** Delivers a report; failures are its business. */
  readonly report: (report: ScriptReport) => Promise<void>;
}

const stages = {
  start: Timing_Stage.START,
  stop: Timing_Stage.STOP,
  cron: Timing_Stage.CRON,
} satisfies Readonly<Record<ScriptStage, Timing_Stage>>;
const statuses = {
  ok: Timing_Status.OK,
  exit_failure: Timing_Status.EXIT_FAILURE,
  timed_out: Timing_Status.TIMED_OUT,
  pipes_left_open: Timing_Status.PIPES_LEFT_OPEN,
} satisfies Readonly<Record<ScriptStatus, Timing_Status>>;

/** Folder below the data directory that is in everybody's PATH. */
export function scriptBinDir(dataDir: string): string {
  return join(dataDir, "coder-script-data", "bin");
}

/** Runs the scripts of a stage; the result says how the stage went as a whole. */
export async function runStage(
  stage: "start" | "stop",
  options: ScriptRunnerOptions,
  signal: AbortSignal,
): Promise<"ok" | "timeout" | "error"> {
  const due = options.scripts.filter((script) => (stage === "start" ? script.runOnStart : script.runOnStop));
  if (due.length > 0) await makeBinDir(options);
  const runs = await Promise.all(due.map((script) => runOne(script, stage, options, signal)));
  if (runs.some(({ status }) => status === "timed_out")) return "timeout";
  return runs.every(({ status }) => status === "ok") ? "ok" : "error";
}

/**
 * Runs each script that has a schedule at its times until the signal aborts; one that still runs is started again beside
 * itself. A schedule that cannot be read costs its own script only, and says so in its log.
 */
export async function runSchedules(options: ScriptRunnerOptions, signal: AbortSignal): Promise<void> {
  const scheduled = options.scripts.filter(({ cron }) => cron !== "");
  if (scheduled.length > 0) await makeBinDir(options);
  await Promise.all(scheduled.map((script) => followSchedule(script, options, signal)));
}

async function followSchedule(
  script: WorkspaceAgentScript,
  options: ScriptRunnerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, logs } = options;
  const running = new Set<Promise<unknown>>();
  try {
    const schedule = parseCron(script.cron);
    for (;;) {
      const now = clock.now();
      const next = nextCron(schedule, now);
      if (!next) return;
      await clock.sleep(next.getTime() - now.getTime(), { signal, tag: "cron", unref: true });
      if (running.size >= maxTogether) {
        log.warn("a scheduled script is left out: too many of its runs go on", { cron: script.cron });
        continue;
      }
      const run = runOne(script, "cron", options, signal).finally(() => running.delete(run));
      running.add(run);
    }
  } catch (error) {
    if (signal.aborted) return;
    const text = error instanceof Error ? error.message : String(error);
    log.error("a script's schedule cannot be followed", { error });
    logs.enqueue(script.logSourceId, "error", `The script's schedule cannot be followed: ${text}`);
  } finally {
    await Promise.all(running);
  }
}

/** Runs of one scheduled script at the same time. */
const maxTogether = 16;

function makeBinDir({ dataDir }: ScriptRunnerOptions): Promise<unknown> {
  return mkdir(scriptBinDir(dataDir), { recursive: true, mode: 0o700 });
}

async function runOne(
  script: WorkspaceAgentScript,
  stage: ScriptStage,
  options: ScriptRunnerOptions,
  signal: AbortSignal,
): Promise<ScriptRun> {
  const { clock, log, logs, home, env } = options;
  const source = uuidText(script.logSourceId) ?? "unknown";
  const dataDir = join(options.dataDir, "coder-script-data", source);
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    log.warn("a script's data directory cannot be made", { error });
  });
  const path = script.logPath === "" ? `coder-script-${source}.log` : script.logPath;
  const run = await runScript({
    command: options.command({
      text: script.script,
      extra: { CODER_SCRIPT_DATA_DIR: dataDir, CODER_SCRIPT_BIN_DIR: scriptBinDir(options.dataDir) },
    }),
    spawn: options.spawn,
    logFile: expandPath(path, { env, home, base: options.logDir }),
    timeoutMs: durationMs(script.timeout),
    clock,
    signal,
    onLine: (stream, line) => logs.enqueue(script.logSourceId, stream === "stdout" ? "info" : "error", line),
  });
  log.info("script ended", { stage, source, status: run.status, exitCode: run.exitCode });
  await options.report({
    scriptId: script.id,
    start: timestampFromDate(run.start),
    end: timestampFromDate(run.end),
    exitCode: run.exitCode,
    stage: stages[stage],
    status: statuses[run.status],
  });
  return run;
}
