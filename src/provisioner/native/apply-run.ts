/** Applies a plan of this session: evaluators, provisioners and data sources around apply.ts. */
import type { EngineSession } from "#provisionersdk/engine.ts";
import { LogLevel } from "#rpc/gen/provisionersdk_pb.js";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import { headRange } from "#preview/hcl/ast.ts";
import { HclError } from "#preview/hcl/source.ts";
import type { Evaluator, ResourceInstance } from "#preview/module/evaluator.ts";
import { logDiagnostic } from "./diagnostics.ts";
import { placeProblem } from "./problems.ts";
import { applyChanges, type ApplyFailure, storedProvider } from "./apply.ts";
import type { Change, DataRead } from "./changes.ts";
import { decodeBody } from "./decode.ts";
import { provision } from "./provision.ts";
import { findInstance, type Planned, type Run } from "./run.ts";
import { schemaType, withMarks } from "./schema.ts";
import { type State, storedOutput } from "./state.ts";
import { StateStore } from "./state-store.ts";
import { findType } from "./types/table.ts";

export interface ApplyInput {
  readonly run: Run;
  readonly planned: Planned;
  readonly statePath: string;
  /** Environment of commands. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Applied {
  readonly store: StateStore;
  readonly failures: readonly ApplyFailure[];
}

export async function applyPlan(session: EngineSession, input: ApplyInput): Promise<Applied> {
  const { run, planned } = input;
  const { state } = planned.input;
  const store = new StateStore(state, input.statePath);
  putData(state, planned.data);
  store.save();
  const evaluator: Evaluator = run.evaluator(
    planned.variables,
    { unknownExpansion: "error", instance: (instance) => valueOf(instance, store, input) },
    planned.planTime,
    "now",
  );
  const say = (line: string): void => session.emit(LogLevel.INFO, line);
  const failures = await applyChanges({
    changes: planned.changes.filter(({ action }) => action !== "no-op"),
    graph: run.graph,
    instanceOf: (change) => findInstance(evaluator, change.module, change.address, resourceKey(change)),
    store,
    context: planned.context,
    canceled: session.canceled,
    log: say,
    warn: (diagnostic) => logDiagnostic(session, diagnostic, run.root),
    now: () => session.clock.monotonic(),
    async provision(when, change, self, instance) {
      const node = run.graph.nodes.get(change.configAddress);
      const blocks = node?.resource?.provisioners ?? [];
      if (!node || blocks.length === 0) return;
      const at = instance ? instance.at : { key: change.key };
      const module = instance?.module ?? {
        config: node.module,
        at: { key: undefined },
        address: change.module,
      };
      const each = when === "destroy" ? { key: change.key, value: v.nullOf() } : at;
      await provision(blocks, when, evaluator.scope(module, each, self), {
        address: change.address,
        base: run.root.dir,
        workDir: session.workDir,
        env: input.env,
        clock: session.clock,
        log: say,
        warn: (line) => session.emit(LogLevel.WARN, line),
        canceled: session.canceled,
        killed: session.killed,
      });
    },
  });
  // Data sources that waited for a resource and that nobody asked for meanwhile.
  for (const read of failures.length > 0 ? [] : planned.data.filter(({ deferred }) => deferred)) {
    const instance = findInstance(
      evaluator,
      read.module,
      read.address,
      `data.${read.type.type}.${read.name}`,
    );
    try {
      if (instance) evaluator.instance(instance);
    } catch (error) {
      if (!(error instanceof HclError)) throw error;
      failures.push({ address: read.address, message: error.message, diagnostic: error.diagnostic });
    }
  }
  if (!planned.input.destroy) state.outputs = failures.length > 0 ? state.outputs : outputsOf(evaluator);
  else if (failures.length === 0) {
    state.outputs = {};
    for (const [id, { mode }] of state.instances) if (mode === "data") state.instances.delete(id);
  }
  store.save();
  return { store, failures };
}

const resourceKey = (change: Change): string => `${change.type.type}.${change.name}`;

/** Data sources are part of the state; those that the configuration lost go. */
function putData(state: State, data: readonly DataRead[]): void {
  for (const [id, instance] of state.instances) {
    if (instance.mode === "data" && findType("data", instance.type)) state.instances.delete(id);
  }
  for (const read of data) if (!read.deferred) putRead(state, read, read.value);
}

function putRead(
  state: State,
  read: Omit<DataRead, "value" | "deferred" | "configAddress">,
  value: Value,
): void {
  state.instances.set(read.address, {
    address: read.address,
    module: read.module,
    mode: "data",
    type: read.type.type,
    name: read.name,
    key: read.key,
    provider: storedProvider(read.type.provider),
    value,
    stored: {},
    tainted: false,
    dependencies: [],
    createBeforeDestroy: false,
  });
}

/** The evaluator's hook while applying: what is in the state by now. Order makes sure that it is there. */
function valueOf(instance: ResourceInstance, store: StateStore, input: ApplyInput): Value {
  const known = store.state.instances.get(instance.address)?.value;
  if (known) return known;
  const { resource } = instance;
  const type = findType(resource.mode, resource.type);
  if (type?.mode !== "data") {
    throw new HclError(
      "Value not known",
      `${instance.address} was not made.`,
      headRange(resource.block),
      instance.address,
    );
  }
  const decoded = decodeBody(resource.block.body, type.schema, instance.scope, headRange(resource.block));
  const [problem] = decoded.diagnostics.filter(({ severity }) => severity === "error");
  if (problem) throw new HclError(problem.summary, problem.detail, problem.range, instance.address);
  const made = type.read(v.unmarkDeep(decoded.config), input.planned.context);
  const failed = made.problems.find(({ severity }) => severity === "error");
  if (failed) {
    const { summary, detail, range, address } = placeProblem(failed, instance);
    throw new HclError(summary, detail, range, address);
  }
  const value = withMarks(made.state, decoded.config, type.schema);
  putRead(
    store.state,
    {
      address: instance.address,
      module: instance.module.address,
      type,
      name: resource.name,
      key: instance.at.key,
    },
    value.content === undefined ? v.unknownOf(schemaType(type.schema)) : value,
  );
  return value;
}

function outputsOf(evaluator: Evaluator): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const name of evaluator.root.config.outputs.keys()) {
    try {
      const value = evaluator.output(evaluator.root, name);
      // As in Terraform, an output that is null is none.
      if (value && value.content !== null) out[name] = storedOutput(value);
    } catch (error) {
      if (!(error instanceof HclError)) throw error;
    }
  }
  return out;
}
