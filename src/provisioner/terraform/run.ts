/** One step of a job: a Terraform command with our provider attached, its output as log lines and timings. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { LogLevel, type Timing, type TimingSchema } from "#rpc/gen/provisionersdk_pb.js";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { EngineSession } from "#provisionersdk/engine.ts";
import { captureCommand, CommandError, runCommand } from "./command.ts";
import type { Terraform } from "./locate.ts";
import { parseJsonLine, stderrLines, stdoutLines } from "./logs/log-lines.ts";
import { stageTiming, TimingCollector, type Stage } from "./logs/timings.ts";
import { serveProvider } from "./plugin/reattach.ts";

export interface RunContext {
  readonly session: EngineSession;
  readonly terraform: Terraform;
  /** Environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  /** What the provider sees; credentials are here only. */
  readonly providerEnv: Readonly<Record<string, string>>;
  readonly rand: Rand;
  readonly platform: { readonly os: string; readonly arch: string };
}

export interface StepResult {
  /** `terraform plan: exit status 1`, or "". */
  readonly error: string;
  readonly timings: Timing[];
}

async function attached<T>(
  { session, terraform, providerEnv, rand, platform }: RunContext,
  run: (wrap: (args: readonly string[]) => readonly string[]) => Promise<T>,
): Promise<T> {
  // In the session's own folder the socket's path may be too long: temporary folders have short names.
  await using provider = await serveProvider({ env: providerEnv, rand, ...platform });
  if (session.canceled.aborted) throw new CommandError("context canceled");
  return await run((args) => provider.wrap([terraform.path, ...args]));
}

/** Runs a command that prints `-json` lines. Failure of the command is in `error`; it throws where it cannot run. */
export function runStep(
  context: RunContext,
  { stage, args, what }: { readonly stage: Stage; readonly args: readonly string[]; readonly what: string },
): Promise<StepResult> {
  const { session, env } = context;
  const { clock, canceled, killed, files: cwd } = session;
  const timings = new TimingCollector(stage);
  return attached(context, async (wrap) => {
    const exit = await runCommand({
      argv: wrap(args),
      cwd,
      workDir: session.workDir,
      env,
      clock,
      canceled,
      killed,
      onStdout(line) {
        for (const { level, output } of stdoutLines(line)) session.emit(level, output);
        const json = parseJsonLine(line);
        if (json) timings.add(json, clock.now());
      },
      onStderr(line) {
        for (const { level, output } of stderrLines(line)) session.emit(level, output);
        if (/text file busy/i.test(line)) {
          session.emit(
            LogLevel.ERROR,
            "A provider's file was written while it was run: two builds share a plugin cache that something else changes. Try again.",
          );
        }
      },
    });
    return { error: exit.ok ? "" : `${what}: ${exit.reason}`, timings: timings.spans() };
  });
}

/** Standard output of a command that only reads. Throws where it fails. */
export function capture(context: RunContext, args: readonly string[]): Promise<string> {
  const { session, env } = context;
  const { clock, canceled, killed, files: cwd } = session;
  const what = `terraform ${args[0] ?? ""}`;
  return attached(context, (wrap) =>
    captureCommand({ argv: wrap(args), cwd, env, clock, canceled, killed }, what),
  );
}

type TimingInit = MessageInitShape<typeof TimingSchema>;

interface StageAnswer {
  error?: string | undefined;
  timings?: TimingInit[];
}

/** Adds the span of the whole stage to what `work` gives; what it throws becomes its error. */
export async function timed<T extends StageAnswer>(
  session: EngineSession,
  stage: Stage,
  work: () => Promise<T>,
): Promise<(T | { error: string }) & { timings: TimingInit[] }> {
  const start = session.clock.now();
  const result: T | { error: string; timings?: TimingInit[] } = await work().catch((error: unknown) => ({
    error: errorText(error),
  }));
  const span = stageTiming(stage, start, session.clock.now(), (result.error ?? "") !== "");
  return { ...result, timings: [span, ...(result.timings ?? [])] };
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
