/** One session's run: the loaded template, its evaluators and the last plan. engine.ts drives it. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Value } from "#preview/cty/value.ts";
import * as v from "#preview/cty/value.ts";
import { headRange } from "#preview/hcl/ast.ts";
import { evaluate } from "#preview/hcl/evaluate.ts";
import { Budget, type Scope } from "#preview/hcl/scope.ts";
import { type Diagnostic, HclError } from "#preview/hcl/source.ts";
import { makeFunctions } from "#preview/functions/functions.ts";
import type { ModuleConfig } from "#preview/module/config.ts";
import {
  Evaluator,
  type Hooks,
  type ModuleInstance,
  type ResourceInstance,
} from "#preview/module/evaluator.ts";
import { buildGraph, type ConfigGraph, findCycle } from "#preview/module/graph.ts";
import { loadModule } from "#preview/module/load.ts";
import { missingVariables, readTfvars, textValue } from "#preview/module/tfvars.ts";
import { configure, providerAddress } from "../coderprovider/provider.ts";
import { configureDocker, usesDocker } from "./providers.ts";
import type { PlannedRun } from "./changes.ts";
import { createFirst, deletion, isError, type Planner, planAll, planInstance, refresh } from "./plan.ts";
import { modulePath } from "./show-json.ts";
import type { State } from "./state.ts";
import type { TypeContext } from "./types/native-type.ts";

export interface RunOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly rand: Rand;
}

export interface PlanInput {
  readonly state: State;
  readonly destroy: boolean;
  readonly variables: readonly {
    readonly name: string;
    readonly value: string;
    readonly sensitive: boolean;
  }[];
  readonly context: TypeContext;
}

export interface Planned extends PlannedRun {
  readonly input: PlanInput;
  readonly variables: ReadonlyMap<string, Value>;
  /** With the URL that the provider block says. */
  readonly context: TypeContext;
  readonly planTime: Date;
}

export class Run {
  readonly root: ModuleConfig;
  readonly graph: ConfigGraph;
  readonly #options: RunOptions;

  constructor(options: RunOptions) {
    this.#options = options;
    this.root = loadModule(options.dir);
    this.graph = buildGraph(this.root);
  }

  /** `now`: functions such as timestamp give their values; else they are unknown. */
  evaluator(
    variables: ReadonlyMap<string, Value>,
    hooks: Hooks,
    planTime: Date,
    impure: "now" | "unknown",
  ): Evaluator {
    const { dir } = this.root;
    return new Evaluator({
      root: this.root,
      variables,
      functions: makeFunctions({
        clock: this.#options.clock,
        rand: this.#options.rand,
        planTime,
        files: { base: dir, root: dir },
        impure,
      }),
      budget: new Budget(),
      hooks,
      paths: { root: ".", cwd: dir },
    });
  }

  async plan(input: PlanInput): Promise<Planned> {
    const planTime = this.#options.clock.now();
    const diagnostics: Diagnostic[] = [];
    const empty = { changes: [], data: [], outputs: new Map<string, Value>(), diagnostics };
    const done = (run: PlannedRun, variables: ReadonlyMap<string, Value>, context: TypeContext): Planned => ({
      ...run,
      input,
      variables,
      context,
      planTime,
    });
    const docker = usesDocker(this.graph, input.state);
    if (!input.destroy || docker) this.#check(diagnostics);
    if (diagnostics.some(isError)) return done(empty, new Map(), input.context);
    const variables =
      !input.destroy || docker ? this.#variables(input, planTime, diagnostics) : new Map<string, Value>();
    if (diagnostics.some(isError)) return done(empty, variables, input.context);
    // Data sources that a provider block names are read before the provider is there.
    const settled = { url: input.context.url };
    const planner: Planner = {
      changes: new Map(),
      data: new Map(),
      diagnostics,
      graph: this.graph,
      createFirst: createFirst(this.graph),
      context: {
        ...input.context,
        get url() {
          return settled.url;
        },
      },
      state: input.state,
    };
    const evaluator = this.evaluator(
      variables,
      { unknownExpansion: "error", instance: (instance) => planInstance(planner, instance) },
      planTime,
      "unknown",
    );
    if (!input.destroy) {
      guard(diagnostics, () => {
        settled.url = this.#url(evaluator, input.context, diagnostics);
        checkVariables(evaluator, diagnostics);
      });
    }
    const access = docker
      ? await configureDocker(evaluator, input.context.daemonEnv, diagnostics)
      : undefined;
    const context: TypeContext = {
      ...input.context,
      url: settled.url,
      ...(access ? { docker: access } : {}),
    };
    if (diagnostics.some(isError)) return done(empty, variables, context);
    await refresh(input.state, context);
    if (input.destroy) {
      const changes = [...input.state.instances.values()].flatMap((instance) => deletion(instance) ?? []);
      return done({ ...empty, changes }, variables, context);
    }
    return done(planAll(planner, evaluator), variables, context);
  }

  #check(diagnostics: Diagnostic[]): void {
    for (const item of this.allDiagnostics()) diagnostics.push(item);
    const cycle = diagnostics.some(isError) ? undefined : findCycle(this.graph);
    if (!cycle) return;
    diagnostics.push({
      severity: "error",
      summary: "Cycle",
      detail: `These depend on each other: ${cycle.join(", ")}.`,
    });
  }

  *allDiagnostics(module: ModuleConfig = this.root): Generator<Diagnostic> {
    yield* module.diagnostics;
    for (const call of module.calls.values()) if (call.module) yield* this.allDiagnostics(call.module);
  }

  #variables(input: PlanInput, planTime: Date, diagnostics: Diagnostic[]): Map<string, Value> {
    const hooks: Hooks = { unknownExpansion: "single", instance: () => v.unknownOf() };
    const { scope } = literals(this.evaluator(new Map(), hooks, planTime, "unknown"));
    const out = readTfvars(this.root.dir, scope, diagnostics);
    for (const { name, value, sensitive } of input.variables) {
      guard(diagnostics, () =>
        out.set(name, v.mark(textValue(this.root.variables.get(name), value, scope), sensitive)),
      );
    }
    for (const missing of missingVariables(this.root, out)) {
      diagnostics.push({
        severity: "error",
        summary: "No value for required variable",
        detail: `The root module input variable ${JSON.stringify(missing.name)} is not set, and has no default value.`,
        range: headRange(missing.block),
      });
    }
    return out;
  }

  #url(evaluator: Evaluator, context: TypeContext, diagnostics: Diagnostic[]): string {
    const block = this.root.providers.find(({ labels }) => labels[0] === "coder");
    const given = block?.body.attributes.get("url")?.value;
    const value = given ? evaluate(given, evaluator.scope(evaluator.root)).content : undefined;
    const made = configure({ url: typeof value === "string" ? value : null }, context.env);
    for (const { severity, summary, detail } of made.diagnostics) {
      diagnostics.push({
        severity,
        summary,
        detail: detail ?? "",
        range: block ? headRange(block) : undefined,
        address: `provider[${JSON.stringify(providerAddress)}]`,
      });
    }
    return made.url;
  }
}

const literals = (evaluator: Evaluator): { readonly scope: Scope } => {
  const scope = evaluator.scope(evaluator.root);
  return {
    scope: { budget: scope.budget, function: (name) => scope.function(name), lookup: () => undefined },
  };
};

function guard(diagnostics: Diagnostic[], run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    diagnostics.push(error.diagnostic);
  }
}

/** `validation` blocks of the root's variables. */
function checkVariables(evaluator: Evaluator, diagnostics: Diagnostic[]): void {
  const scope = evaluator.scope(evaluator.root);
  for (const variable of evaluator.root.config.variables.values()) {
    for (const block of variable.block.body.blocks.filter(({ type }) => type === "validation")) {
      guard(diagnostics, () => {
        const condition = block.body.attributes.get("condition")?.value;
        const message = block.body.attributes.get("error_message")?.value;
        if (!condition || evaluate(condition, scope).content !== false) return;
        const text = message ? evaluate(message, scope).content : "";
        diagnostics.push({
          severity: "error",
          summary: "Invalid value for variable",
          detail: typeof text === "string" ? text : "",
          range: headRange(variable.block),
        });
      });
    }
  }
}

/** The configured instance behind an address; undefined if the configuration has none. */
export function findInstance(
  evaluator: Evaluator,
  module: string,
  address: string,
  key: string,
): ResourceInstance | undefined {
  let at: ModuleInstance = evaluator.root;
  let prefix = "";
  for (const part of modulePath(module)) {
    prefix = prefix === "" ? part : `${prefix}.${part}`;
    const name = /^module\.([^[]+)/.exec(part)?.[1] ?? "";
    const call = at.config.calls.get(name);
    const next = call
      ? evaluator.modules(at, call).find((instance) => instance.address === prefix)
      : undefined;
    if (!next) return undefined;
    at = next;
  }
  const resource = at.config.resources.get(key);
  return resource
    ? evaluator.instances(at, resource).find((instance) => instance.address === address)
    : undefined;
}
