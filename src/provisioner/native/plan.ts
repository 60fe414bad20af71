/** Configuration and state → changes. Pure but for the ids and tokens that reading makes. */
import { placeProblem } from "./problems.ts";
import type { Value } from "#preview/cty/value.ts";
import * as v from "#preview/cty/value.ts";
import { headRange, type Expression } from "#preview/hcl/ast.ts";
import { type Diagnostic, HclError } from "#preview/hcl/source.ts";
import type { ResourceConfig } from "#preview/module/config.ts";
import type { Evaluator, ResourceInstance } from "#preview/module/evaluator.ts";
import { ancestors, type ConfigGraph, modulePrefix } from "#preview/module/graph.ts";
import { bodyReferences, references } from "#preview/module/references.ts";
import type { Change, DataRead, PlannedRun } from "./changes.ts";
import { decodeBody } from "./decode.ts";
import { schemaType, withMarks } from "./schema.ts";
import type { State, StateInstance } from "./state.ts";
import type {
  DataType,
  ManagedType,
  NativeType,
  Path,
  TypeContext,
  TypeProblem,
} from "./types/native-type.ts";
import { findType } from "./types/table.ts";
import { same } from "./values.ts";

export interface Planner {
  readonly changes: Map<string, Change>;
  readonly data: Map<string, DataRead>;
  readonly diagnostics: Diagnostic[];
  readonly graph: ConfigGraph;
  readonly context: TypeContext;
  /** Config addresses that are made anew before the old one goes. */
  readonly createFirst: ReadonlySet<string>;
  /** Refreshed prior state by address. */
  readonly state: State;
}

export const configAddress = (instance: ResourceInstance): string =>
  `${modulePrefix(instance.module.config.path)}${instance.resource.key}`;

/** Reads every managed instance anew: tokens of agents change here, and what is gone leaves the state. */
export async function refresh(state: State, context: TypeContext): Promise<void> {
  const reads = [...state.instances].map(async ([id, instance]) => {
    const type = findType(instance.mode, instance.type);
    if (type?.mode !== "managed" || !type.read || !instance.value || instance.tainted) return;
    const found = await type.read(v.unmarkDeep(instance.value), context);
    if (found) {
      state.instances.set(id, { ...instance, value: withMarks(found, instance.value, type.schema) });
    } else state.instances.delete(id);
  });
  await Promise.all(reads);
}

/** The evaluator's hook while planning. */
export function planInstance(planner: Planner, instance: ResourceInstance): Value {
  const { resource } = instance;
  const type = findType(resource.mode, resource.type);
  if (!type) {
    const detail = `The native engine has no ${resource.mode === "data" ? "data source" : "resource"} type ${JSON.stringify(resource.type)}.`;
    throw new HclError("Unsupported type", detail, headRange(resource.block), instance.address);
  }
  const decoded = decodeBody(resource.block.body, type.schema, instance.scope, headRange(resource.block));
  planner.diagnostics.push(...decoded.diagnostics.map((item) => ({ ...item, address: instance.address })));
  if (decoded.diagnostics.some(isError)) return v.unknownOf();
  if (reportProblems(planner.diagnostics, type.validate?.(v.unmarkDeep(decoded.config)) ?? [], instance)) {
    return v.unknownOf();
  }
  return type.mode === "data"
    ? planData(planner, instance, type, decoded.config)
    : planManaged(planner, instance, type, decoded.config);
}

export const isError = (diagnostic: Diagnostic): boolean => diagnostic.severity === "error";

/** True if one of them is an error. */
export function reportProblems(
  into: Diagnostic[],
  problems: readonly TypeProblem[],
  instance: ResourceInstance,
): boolean {
  into.push(...problems.map((problem) => placeProblem(problem, instance)));
  return problems.some(({ severity }) => severity === "error");
}

function planData(planner: Planner, instance: ResourceInstance, type: DataType, config: Value): Value {
  const waits = resourceNeeds(planner, instance.resource, instance);
  const deferred = !v.isWhollyKnown(config) || waits;
  let value: Value;
  if (deferred) {
    const given = v.entries(config);
    const shape = schemaType(type.schema);
    const attributes = shape.kind === "object" ? [...shape.attributes] : [];
    value = v.object(
      attributes.map(([name, inner]) => {
        const item = given.get(name);
        const open = type.schema.attributes[name]?.computed === true && (!item || item.content === null);
        return [name, open || !item ? v.unknownOf(inner) : item] as const;
      }),
    );
  } else {
    const made = type.read(v.unmarkDeep(config), planner.context);
    if (reportProblems(planner.diagnostics, made.problems, instance)) return v.unknownOf();
    value = made.state;
  }
  const marked = withMarks(value, config, type.schema);
  planner.data.set(instance.address, {
    address: instance.address,
    configAddress: configAddress(instance),
    module: instance.module.address,
    type,
    name: instance.resource.name,
    key: instance.at.key,
    value: marked,
    deferred,
  });
  return marked;
}

/** A data source that names a resource, in depends_on or directly, waits for it as long as it changes. */
function resourceNeeds(planner: Planner, resource: ResourceConfig, instance: ResourceInstance): boolean {
  const prefix = modulePrefix(instance.module.config.path);
  return [...resource.dependsOn, ...bodyReferences(resource.block.body)].some(({ root, path }) => {
    const name = `${prefix}${root}.${path[0] ?? ""}`;
    return [...planner.changes.values()].some(
      (change) => change.configAddress === name && change.action !== "no-op",
    );
  });
}

function lifecycleFlag(resource: ResourceConfig, name: string): boolean {
  const value = resource.lifecycle?.body.attributes.get(name)?.value;
  return value?.kind === "literal" && value.value.content === true;
}

/** What says create_before_destroy, and all that it needs: those could not go first either. */
export function createFirst(graph: ConfigGraph): Set<string> {
  const out = new Set<string>();
  for (const { name, resource } of graph.nodes.values()) {
    if (!resource || resource.mode === "data" || !lifecycleFlag(resource, "create_before_destroy")) continue;
    for (const need of [name, ...ancestors(graph, name)]) out.add(need);
  }
  return out;
}

/** `ignore_changes`: the prior value of these attributes is kept. */
export function ignoreChanges(
  resource: ResourceConfig,
  type: ManagedType,
  config: Value,
  prior: Value,
): Value {
  const list = resource.lifecycle?.body.attributes.get("ignore_changes")?.value;
  if (!list) return config;
  const all = list.kind === "variable" && list.name === "all";
  const names = new Set(list.kind === "tuple" ? list.items.map(rootName) : []);
  const before = v.entries(prior);
  return v.object(
    [...v.entries(config)].map(([name, item]) => {
      const attribute = type.schema.attributes[name];
      const configurable = !attribute || attribute.required === true || attribute.optional === true;
      return [name, configurable && (all || names.has(name)) ? (before.get(name) ?? item) : item] as const;
    }),
  );
}

function rootName(expression: Expression): string {
  let at = expression;
  while (at.kind === "attribute" || at.kind === "index" || at.kind === "wrap") {
    at = at.kind === "wrap" ? at.inner : at.of;
  }
  if (at.kind === "variable") return at.name;
  return at.kind === "literal" && typeof at.value.content === "string" ? at.value.content : "";
}

function planManaged(planner: Planner, instance: ResourceInstance, type: ManagedType, config: Value): Value {
  const { resource, address } = instance;
  const prior = priorOf(planner.state, instance);
  const before = prior?.value;
  const wanted = before && prior && !prior.tainted ? ignoreChanges(resource, type, config, before) : config;
  const plain = v.unmarkDeep(wanted);
  const first = type.plan(plain, before && !prior?.tainted ? v.unmarkDeep(before) : undefined);
  if (reportProblems(planner.diagnostics, first.problems, instance)) return v.unknownOf();
  const triggered = replaceTriggered(planner, instance);
  const replacePaths: readonly Path[] =
    triggered.length > 0 ? [...first.replace, ...triggered] : first.replace;
  let action: Change["action"];
  let planned = first.planned;
  if (!before || !prior) action = "create";
  else if (prior.tainted || replacePaths.length > 0) {
    action = "replace";
    planned = type.plan(plain, undefined).planned;
  } else action = same(planned, v.unmarkDeep(before)) ? "no-op" : type.update ? "update" : "replace";
  if (action === "replace" && lifecycleFlag(resource, "prevent_destroy")) {
    throw new HclError(
      "Instance cannot be destroyed",
      `Resource ${address} has lifecycle.prevent_destroy set, but the plan calls for it to be destroyed.`,
      headRange(resource.block),
      address,
    );
  }
  const after = withMarks(planned, wanted, type.schema);
  planner.changes.set(address, {
    address,
    configAddress: configAddress(instance),
    module: instance.module.address,
    type,
    name: resource.name,
    key: instance.at.key,
    action,
    createFirst: planner.createFirst.has(configAddress(instance)),
    ...(prior ? { prior } : {}),
    ...(before ? { before } : {}),
    after,
    replacePaths,
    dependencies: stateDependencies(planner.graph, configAddress(instance)),
  });
  return after;
}

/** Resources and data sources that a node needs, by config address, sorted: what a state lists. */
export function stateDependencies(graph: ConfigGraph, name: string): string[] {
  return [...ancestors(graph, name)].filter((need) => graph.nodes.get(need)?.resource !== undefined).sort();
}

/** The instance in the state; `x` and `x[0]` are one where count came or went, and the state follows the new name. */
function priorOf(state: State, instance: ResourceInstance): StateInstance | undefined {
  const exact = state.instances.get(instance.address);
  if (exact) return exact;
  const { key } = instance.at;
  if (instance.resource.forEach || (key !== undefined && key !== 0)) return undefined;
  const bare = instance.address.replace(/\[0\]$/, "");
  const old = key === 0 ? bare : `${bare}[0]`;
  const found = state.instances.get(old);
  if (!found) return undefined;
  const moved = { ...found, address: instance.address, key };
  state.instances.delete(old);
  state.instances.set(instance.address, moved);
  return moved;
}

function replaceTriggered(planner: Planner, instance: ResourceInstance): Path[] {
  const list = instance.resource.lifecycle?.body.attributes.get("replace_triggered_by")?.value;
  if (list?.kind !== "tuple") return [];
  const prefix = modulePrefix(instance.module.config.path);
  return list.items.flatMap(references).flatMap(({ root, path }): Path[] => {
    const name = `${prefix}${root}.${path[0] ?? ""}`;
    const hit = [...planner.changes.values()].some(
      (change) => change.configAddress === name && change.action !== "no-op" && change.action !== "create",
    );
    return hit ? [["replace_triggered_by"]] : [];
  });
}

/** Plans everything that the configuration names, then what the state has beyond it. */
export function planAll(planner: Planner, evaluator: Evaluator): PlannedRun {
  const outputs = new Map<string, Value>();
  const attempt = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof HclError)) throw error;
      const { diagnostic } = error;
      const known = planner.diagnostics.some(
        ({ summary, detail, range }) =>
          summary === diagnostic.summary &&
          detail === diagnostic.detail &&
          range?.start.offset === diagnostic.range?.start.offset &&
          range?.file === diagnostic.range?.file,
      );
      if (!known) planner.diagnostics.push(diagnostic);
    }
  };
  attempt(() => {
    for (const module of evaluator.allModules()) {
      for (const name of module.config.variables.keys()) attempt(() => void evaluator.variable(module, name));
      for (const resource of module.config.resources.values()) {
        attempt(() => {
          for (const name of triggersOf(resource)) {
            const target = module.config.resources.get(name);
            if (target) evaluator.resource(module, target);
          }
          evaluator.resource(module, resource);
        });
      }
      for (const name of module.config.locals.keys()) attempt(() => void evaluator.local(module, name));
    }
  });
  for (const name of evaluator.root.config.outputs.keys()) {
    attempt(() => {
      const value = evaluator.output(evaluator.root, name);
      if (value) outputs.set(name, value);
    });
  }
  if (!planner.diagnostics.some(isError)) addOrphans(planner);
  return {
    changes: [...planner.changes.values()],
    data: [...planner.data.values()],
    outputs,
    diagnostics: planner.diagnostics,
  };
}

/** replace_triggered_by and depends_on must be planned before what names them. */
function triggersOf(resource: ResourceConfig): string[] {
  const list = resource.lifecycle?.body.attributes.get("replace_triggered_by")?.value;
  const named = [...(list?.kind === "tuple" ? list.items.flatMap(references) : []), ...resource.dependsOn];
  return named.map(({ root, path }) => `${root}.${path[0] ?? ""}`);
}

function addOrphans(planner: Planner): void {
  for (const [id, instance] of planner.state.instances) {
    if (instance.mode !== "managed") continue;
    if (instance.deposed === undefined && planner.changes.has(instance.address)) {
      continue;
    }
    const change = deletion(instance);
    if (change) planner.changes.set(id, change);
  }
}

/** Removal of an instance; undefined for types of other engines. */
export function deletion(instance: StateInstance): Change | undefined {
  const type: NativeType | undefined = findType(instance.mode, instance.type);
  if (type?.mode !== "managed") return undefined;
  return {
    address: instance.address,
    configAddress: `${instance.module === "" ? "" : `${instance.module.replace(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, "")}.`}${instance.type}.${instance.name}`,
    module: instance.module,
    type,
    name: instance.name,
    key: instance.key,
    action: "delete",
    createFirst: false,
    prior: instance,
    ...(instance.value ? { before: instance.value } : {}),
    replacePaths: [],
    dependencies: instance.dependencies,
  };
}
