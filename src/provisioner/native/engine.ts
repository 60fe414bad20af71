/**
 * The build engine without Terraform: it evaluates the template itself and knows the types of `types/table.ts`. It
 * reads and writes Terraform's state, and its plan and state go through the same conversion to resources, so that a
 * workspace may change engines in either direction. `supports` tells whether it knows a template as a whole.
 */
import { relative } from "node:path";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { type Diagnostic, diagnosticText } from "#preview/hcl/source.ts";
import type { ModuleConfig } from "#preview/module/config.ts";
import type { Engine, EngineSession } from "#provisionersdk/engine.ts";
import { GraphSource, LogLevel, type PlanRequest, WorkspaceTransition } from "#rpc/gen/provisionersdk_pb.js";
import { type AgentScripts, providerEnv, publicEnv } from "../coderprovider/environment.ts";
import { parseTemplate } from "../parse.ts";
import { ConvertError } from "../terraform/convert/decode.ts";
import { convertPlan, convertState } from "../terraform/convert/convert.ts";
import { planFacts } from "../terraform/convert/plan-facts.ts";
import { type Stage, stageTiming } from "../terraform/logs/timings.ts";
import { applyPlan } from "./apply-run.ts";
import { logDiagnostic } from "./diagnostics.ts";
import { graphDot } from "./dot.ts";
import { type Planned, Run } from "./run.ts";
import { planJson, stateJson } from "./show-json.ts";
import { readState, StateError } from "./state.ts";
import { reasonText, supports, supportsState } from "./supports.ts";

export interface NativeEngineOptions {
  readonly rand: Rand;
  /** First programs of agents by platform, `linux_amd64` … */
  readonly agentScripts?: AgentScripts;
  /** Environment of commands that templates run; CODER_* variables but CODER_LOCAL_* are left out. @default {} */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Go's names of this machine. */
  readonly os: string;
  readonly arch: string;
}

/** What a session has done so far. */
interface Progress {
  run?: Run;
  planned?: Planned;
  env: Readonly<Record<string, string>>;
  /** JSON for the conversion: of the last plan, then of the applied state. */
  plan?: ReturnType<typeof planJson>;
  state?: ReturnType<typeof stateJson>;
}

export function nativeEngine(options: NativeEngineOptions): Engine {
  const sessions = new WeakMap<EngineSession, Progress>();
  const progressOf = (session: EngineSession): Progress => {
    const known = sessions.get(session);
    if (known) return known;
    const fresh: Progress = { env: {} };
    sessions.set(session, fresh);
    return fresh;
  };
  const runOf = (session: EngineSession): Run => {
    const progress = progressOf(session);
    progress.run ??= new Run({ dir: session.files, clock: session.clock, rand: options.rand });
    return progress.run;
  };
  return {
    async init(session) {
      return timed(session, "init", () => {
        const support = supports(session.files);
        if (!support.ok) {
          return {
            error: `the native engine cannot run this template: ${support.reasons.map(reasonText).join("; ")}`,
          };
        }
        return { modules: modules(runOf(session).root) };
      });
    },
    async parse(session) {
      return parseTemplate(session.files);
    },
    async plan(session, request) {
      return timed(session, "plan", () =>
        plan(session, request, options, progressOf(session), runOf(session)),
      );
    },
    async apply(session) {
      return timed(session, "apply", () => apply(session, progressOf(session), runOf(session)));
    },
    async graph(session, request) {
      return timed(session, "graph", () =>
        graph(session, request.source, progressOf(session), runOf(session), options.rand),
      );
    },
  };
}

/** Adds the stage's span to what a step answers. */
async function timed<T extends { readonly error?: string }>(
  session: EngineSession,
  stage: Stage,
  work: () => T | Promise<T>,
): Promise<T & { readonly timings: ReturnType<typeof stageTiming>[] }> {
  const start = session.clock.now();
  const answer = await work();
  const failed = (answer.error ?? "") !== "";
  return { ...answer, timings: [stageTiming(stage, start, session.clock.now(), failed)] };
}

function commandEnv(
  options: NativeEngineOptions,
  provider: Readonly<Record<string, string>>,
): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (value !== undefined && (!name.startsWith("CODER_") || name.startsWith("CODER_LOCAL_"))) {
      out[name] = value;
    }
  }
  return { ...out, ...publicEnv(provider) };
}

interface PlanAnswer {
  readonly error?: string;
  readonly plan?: Uint8Array;
  readonly dailyCost?: number;
  readonly aiTaskCount?: number;
  readonly resourceReplacements?: ReturnType<typeof planFacts>["resourceReplacements"];
}

const nothingToDo = "The terraform state does not exist, there is nothing to do";

async function plan(
  session: EngineSession,
  request: PlanRequest,
  options: NativeEngineOptions,
  progress: Progress,
  run: Run,
): Promise<PlanAnswer> {
  const destroy = request.metadata?.workspaceTransition === WorkspaceTransition.DESTROY;
  delete progress.planned;
  if (destroy && request.state.length === 0) {
    session.emit(LogLevel.INFO, nothingToDo);
    return {};
  }
  const env = providerEnv(request, options.agentScripts);
  progress.env = commandEnv(options, env);
  try {
    const support = supportsState(request.state);
    if (!support.ok) {
      return {
        error: `the native engine cannot change this workspace: ${support.reasons.map(reasonText).join("; ")}`,
      };
    }
    const state = readState(request.state, options.rand);
    const context = {
      env,
      url: env["CODER_AGENT_URL"] ?? "",
      rand: options.rand,
      os: options.os,
      arch: options.arch,
      clock: session.clock,
      base: session.files,
      canceled: session.canceled,
      daemonEnv: options.env ?? {},
    };
    const planned = await run.plan({ state, destroy, variables: request.variableValues, context });
    for (const diagnostic of planned.diagnostics) logDiagnostic(session, diagnostic, run.root);
    const errors = planned.diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length > 0) return { error: planError(errors) };
    progress.planned = planned;
    progress.plan = planJson(planned, state, destroy);
    logPlan(session, planned);
    const facts = planFacts(progress.plan);
    for (const line of facts.replacementLogs) session.emit(LogLevel.WARN, line);
    return {
      plan: Buffer.from(JSON.stringify(progress.plan)),
      dailyCost: facts.dailyCost,
      aiTaskCount: facts.aiTaskCount,
      resourceReplacements: facts.resourceReplacements,
    };
  } catch (error) {
    if (error instanceof StateError) return { error: error.message };
    if (error instanceof RangeError) return { error: "the template is nested too deeply" };
    throw error;
  }
}

function planError(errors: readonly Diagnostic[]): string {
  const [first] = errors;
  if (!first) return "";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more errors)` : "";
  const address = first.address === undefined ? "" : `${first.address}: `;
  return `native plan: ${address}${diagnosticText(first)}${more}`;
}

function logPlan(session: EngineSession, planned: Planned): void {
  const count = (...actions: readonly string[]): number =>
    planned.changes.filter(({ action }) => actions.includes(action)).length;
  for (const { address, action } of planned.changes) {
    if (action !== "no-op") session.emit(LogLevel.INFO, `${address}: Plan to ${action}`);
  }
  session.emit(
    LogLevel.INFO,
    `Plan: ${count("create", "replace")} to add, ${count("update")} to change, ${count("delete", "replace")} to destroy.`,
  );
}

async function apply(
  session: EngineSession,
  progress: Progress,
  run: Run,
): Promise<{ readonly error?: string; readonly state?: Uint8Array }> {
  const { planned } = progress;
  if (!planned) {
    session.emit(LogLevel.INFO, nothingToDo);
    return {};
  }
  const statePath = `${session.files}/terraform.tfstate`;
  const { store, failures } = await applyPlan(session, { run, planned, statePath, env: progress.env });
  progress.state = stateJson(store.state);
  for (const { address, message, diagnostic } of failures) {
    if (diagnostic) logDiagnostic(session, diagnostic, run.root);
    else session.emit(LogLevel.ERROR, address === "" ? `Error: ${message}` : `Error: ${address}: ${message}`);
  }
  const [first] = failures;
  if (!first) {
    const made = (kind: string): number =>
      planned.changes.filter(({ action }) => action === kind || (action === "replace" && kind !== "update"))
        .length;
    session.emit(
      LogLevel.INFO,
      `Apply complete! Resources: ${made("create")} added, ${made("update")} changed, ${made("delete")} destroyed.`,
    );
    return { state: store.bytes() };
  }
  const error = first.address === "" ? first.message : `${first.address}: ${first.message}`;
  return { error: `native apply: ${error}`, state: store.bytes() };
}

type GraphAnswer = Partial<Omit<ReturnType<typeof convertPlan>, "warnings">> & { readonly error?: string };

function graph(
  session: EngineSession,
  source: GraphSource,
  progress: Progress,
  run: Run,
  rand: Rand,
): GraphAnswer {
  const dot = graphDot(run.graph);
  try {
    const { warnings, ...fields } =
      source === GraphSource.SOURCE_STATE
        ? convertState({ state: progress.state ?? {}, dot, rand })
        : convertPlan({ plan: progress.plan ?? {}, dot, rand });
    for (const line of warnings) session.emit(LogLevel.WARN, line);
    return fields;
  } catch (error) {
    if (error instanceof ConvertError) return { error: error.message };
    throw error;
  }
}

/** Modules that the template calls, for the import's list. */
function modules(root: ModuleConfig): { key: string; source: string; version: string; dir: string }[] {
  const out: { key: string; source: string; version: string; dir: string }[] = [];
  const visit = (module: ModuleConfig): void => {
    for (const call of module.calls.values()) {
      if (!call.module) continue;
      out.push({
        key: call.module.path.join("."),
        source: call.source ?? "",
        version: "",
        dir: relative(root.dir, call.module.dir),
      });
      visit(call.module);
    }
  };
  visit(root);
  return out;
}
