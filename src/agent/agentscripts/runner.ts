/**
 * The scripts of a manifest: all of a stage in parallel, their output to the log sender, each run reported. Start
 * scripts may be ended by a shutdown, stop scripts only by their own time limits.
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
import { runScript, type ScriptRun, type ScriptStatus } from "./run.ts";

export type ScriptStage = "start" | "stop";

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

const stages = { start: Timing_Stage.START, stop: Timing_Stage.STOP } satisfies Readonly<
  Record<ScriptStage, Timing_Stage>
>;
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
  stage: ScriptStage,
  options: ScriptRunnerOptions,
  signal: AbortSignal,
): Promise<"ok" | "timeout" | "error"> {
  const due = options.scripts.filter((script) => (stage === "start" ? script.runOnStart : script.runOnStop));
  if (due.length > 0) await mkdir(scriptBinDir(options.dataDir), { recursive: true, mode: 0o700 });
  const runs = await Promise.all(due.map((script) => runOne(script, stage, options, signal)));
  if (runs.some(({ status }) => status === "timed_out")) return "timeout";
  return runs.every(({ status }) => status === "ok") ? "ok" : "error";
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
