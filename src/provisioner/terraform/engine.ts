/**
 * The engine that runs the Terraform binary. The session server (provisionersdk/session.ts) calls it, one session a
 * job. It keeps the files of a session in its folder only, shares nothing but the plugin cache between sessions, and
 * gives back the state that is on disk on every kind of end.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Engine, EngineSession } from "#provisionersdk/engine.ts";
import {
  GraphSource,
  LogLevel,
  PrebuiltWorkspaceBuildStage,
  WorkspaceTransition,
  type ApplyRequest,
  type GraphRequest,
  type GraphCompleteSchema,
  type InitCompleteSchema,
  type InitRequest,
  type PlanCompleteSchema,
  type PlanRequest,
} from "#rpc/gen/provisionersdk_pb.js";
import { providerEnv, publicEnv, type AgentScripts } from "../coderprovider/environment.ts";
import { parseTemplate } from "../parse.ts";
import { convertPlan, convertState } from "./convert/convert.ts";
import { planFacts } from "./convert/plan-facts.ts";
import { baseEnv, goPlatform, terraformVariableLines } from "./environment.ts";
import { checkTerraform, findTerraform, isAtLeast, type Terraform } from "./locate.ts";
import { archiveModules, listModules } from "./modules.ts";
import { needsInit } from "./needs-init.ts";
import { PluginCache } from "./plugin-cache.ts";
import { capture, errorText, runStep, timed, type RunContext } from "./run.ts";
import { stateJson } from "./state-json.ts";
import { readState, rescueState, writeState } from "./state-file.ts";
import { variablesFile } from "./variables.ts";

export interface TerraformEngineOptions {
  /** Path of the binary; "" takes the one on PATH. */
  readonly binary: string;
  /** The daemon's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder for what several builds use: providers, in a folder of its own below it. */
  readonly cacheDir: string;
  readonly agentScripts: AgentScripts;
  readonly rand: Rand;
  /** As Node names it. */
  readonly machine: { readonly platform: string; readonly arch: string };
}

type InitAnswer = MessageInitShape<typeof InitCompleteSchema>;
type PlanAnswer = MessageInitShape<typeof PlanCompleteSchema>;
type GraphAnswer = MessageInitShape<typeof GraphCompleteSchema>;

/** From this version on init prints JSON too. */
const initJsonSince = "1.9.0";
const graphTypeSince = "1.7.0";

const nothingToDo = "The terraform state does not exist, there is nothing to do";

/** Places in a session's folder that templates cannot reach by a relative name. */
function planFile({ workDir }: EngineSession): string {
  return join(workDir, "terraform.tfplan");
}

function planJsonFile({ workDir }: EngineSession): string {
  return join(workDir, "plan.json");
}

export function terraformEngine(options: TerraformEngineOptions): Engine {
  const base = baseEnv(options.env);
  const cache = new PluginCache(resolve(options.cacheDir, "terraform", "plugins"));
  const platform = goPlatform(options.machine);
  /** Sessions whose workspace has nothing that could be destroyed. */
  const empty = new WeakSet<EngineSession>();
  const dots = new WeakMap<EngineSession, Promise<string>>();
  const versions = new Map<string, Promise<Terraform>>();

  async function terraform({ clock, files, killed }: EngineSession): Promise<Terraform> {
    const path = await findTerraform({ setting: options.binary, path: base["PATH"] ?? "" });
    const known =
      versions.get(path) ?? checkTerraform(path, { env: base, cwd: files, clock, signal: killed });
    versions.set(path, known);
    // A binary that could not be asked is asked again: it may have been repaired.
    known.catch(() => versions.delete(path));
    return known;
  }

  async function context(
    session: EngineSession,
    env: Readonly<Record<string, string>>,
    forProvider: Readonly<Record<string, string>> = {},
  ): Promise<RunContext> {
    return {
      session,
      terraform: await terraform(session),
      env,
      providerEnv: forProvider,
      rand: options.rand,
      platform,
    };
  }

  function logLevelEnv({ config }: EngineSession): Record<string, string> {
    return config.provisionerLogLevel === "" ? {} : { TF_LOG: "JSON" };
  }

  async function init(session: EngineSession, request: InitRequest): Promise<InitAnswer> {
    for (const line of terraformVariableLines(base)) session.emit(LogLevel.WARN, line);
    if (!(await needsInit(session.files))) {
      await terraform(session);
      session.emit(
        LogLevel.INFO,
        "Nothing to initialize: the template needs no other providers and no modules.",
      );
      return {};
    }
    const env = { ...base, TF_PLUGIN_CACHE_DIR: cache.dir };
    const run = await context(session, env);
    const json = isAtLeast(run.terraform.version, initJsonSince) ? ["-json"] : [];
    await mkdir(cache.dir, { recursive: true });
    const result = await cache.exclusive(session.clock.now(), () =>
      runStep(run, {
        stage: "init",
        args: ["init", "-no-color", "-input=false", ...json],
        what: "initialize terraform",
      }),
    );
    if (result.error !== "") return result;
    const modules = await listModules(session.files);
    const moduleFiles = request.omitModuleFiles ? new Uint8Array() : await archiveModules(session.files);
    return { ...result, modules, moduleFiles };
  }

  async function plan(session: EngineSession, request: PlanRequest): Promise<PlanAnswer> {
    const destroy = request.metadata?.workspaceTransition === WorkspaceTransition.DESTROY;
    if (destroy && request.state.length === 0) {
      empty.add(session);
      session.emit(LogLevel.INFO, nothingToDo);
      return {};
    }
    empty.delete(session);
    if (request.state.length > 0) await writeState(session.files, request.state);
    const forProvider = providerEnv(request, options.agentScripts);
    const run = await context(
      session,
      { ...base, ...publicEnv(forProvider), ...logLevelEnv(session) },
      forProvider,
    );
    const variables = await variableArguments(session, request);
    const args = ["plan", "-no-color", "-input=false", "-json", "-refresh=true", `-out=${planFile(session)}`];
    const result = await runStep(run, {
      stage: "plan",
      args: [...args, ...(destroy ? ["-destroy"] : []), ...variables],
      what: "terraform plan",
    });
    if (result.error !== "") return result;
    const reading = await context(session, base);
    const show = ["show", "-json", "-no-color", planFile(session)];
    const [text] = await Promise.all([capture(reading, show), dotOf(session)]);
    await writeFile(planJsonFile(session), text, { mode: 0o600 });
    const facts = planFacts(shownJson(text));
    const claim = request.metadata?.prebuiltWorkspaceBuildStage === PrebuiltWorkspaceBuildStage.CLAIM;
    if (claim && facts.replaces) await showReplacements(session);
    if (!claim) for (const line of facts.replacementLogs) session.emit(LogLevel.WARN, line);
    return {
      ...result,
      plan: Buffer.from(text),
      dailyCost: facts.dailyCost,
      aiTaskCount: facts.aiTaskCount,
      resourceReplacements: facts.resourceReplacements,
    };
  }

  async function variableArguments(session: EngineSession, request: PlanRequest): Promise<string[]> {
    if (request.variableValues.length === 0) return [];
    const { templateVariables } = await parseTemplate(session.files);
    const file = join(session.workDir, "variables.tfvars");
    await writeFile(file, variablesFile(request.variableValues, templateVariables), { mode: 0o600 });
    return [`-var-file=${file}`];
  }

  /** A claimed prebuild should lose nothing: the whole plan says what it would lose, and why. */
  async function showReplacements(session: EngineSession): Promise<void> {
    const text = await capture(await context(session, base), ["show", "-no-color", planFile(session)]);
    for (const line of text.split("\n")) {
      session.emit(line.includes("# forces replacement") ? LogLevel.WARN : LogLevel.INFO, line);
    }
  }

  async function apply(session: EngineSession, request: ApplyRequest) {
    if (empty.has(session)) {
      session.emit(LogLevel.INFO, nothingToDo);
      return {};
    }
    const forProvider = providerEnv({ metadata: request.metadata }, options.agentScripts);
    const step = async () => {
      const env = { ...base, ...publicEnv(forProvider), ...logLevelEnv(session) };
      const args = ["apply", "-no-color", "-auto-approve", "-input=false", "-json", planFile(session)];
      return runStep(await context(session, env, forProvider), {
        stage: "apply",
        args,
        what: "terraform apply",
      });
    };
    const result = await step().catch((error: unknown) => ({ error: errorText(error), timings: [] }));
    const { state, torn } = await rescueState(session.files);
    if (torn) {
      session.emit(LogLevel.ERROR, "Terraform's state file is torn; the state of before this apply is kept.");
    }
    return { ...result, state };
  }

  /** The graph follows from the configuration alone: once a session, beside another command that only reads. */
  function dotOf(session: EngineSession): Promise<string> {
    const known = dots.get(session);
    if (known) return known;
    const made = context(session, base).then((run) => {
      const type = isAtLeast(run.terraform.version, graphTypeSince) ? ["-type=plan"] : [];
      return capture(run, ["graph", ...type]);
    });
    dots.set(session, made);
    made.catch(() => dots.delete(session));
    return made;
  }

  async function graph(session: EngineSession, request: GraphRequest): Promise<GraphAnswer> {
    const { rand } = options;
    const convert = async () => {
      if (request.source !== GraphSource.SOURCE_STATE) {
        const plan = shownJson(await readFile(planJsonFile(session), "utf8"));
        return convertPlan({ plan, dot: await dotOf(session), rand });
      }
      const state = await readState(session.files);
      if (state.length === 0) return convertState({ state: {}, dot: "", rand });
      return convertState({ state: stateJson(state), dot: await dotOf(session), rand });
    };
    const { warnings, ...converted } = await convert();
    for (const line of warnings) session.emit(LogLevel.WARN, line);
    return converted;
  }

  return {
    init: (session, request) => timed(session, "init", () => init(session, request)),
    parse: async ({ files }) => parseTemplate(files),
    plan: (session, request) => timed(session, "plan", () => plan(session, request)),
    apply: (session, request) => timed(session, "apply", () => apply(session, request)),
    graph: (session, request) => timed(session, "graph", () => graph(session, request)),
  };
}

function shownJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const start = JSON.stringify(text.slice(0, 60));
    throw new Error(`terraform show printed no JSON, but ${start}`, { cause });
  }
}
