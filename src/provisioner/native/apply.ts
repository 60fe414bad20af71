/**
 * Planned changes → done, in order of dependence, independent ones at once. The state is written before and after every
 * step, so that whatever ends the process, what was made is known.
 */
import type { Value } from "#preview/cty/value.ts";
import * as v from "#preview/cty/value.ts";
import { headRange } from "#preview/hcl/ast.ts";
import { HclError, type Diagnostic } from "#preview/hcl/source.ts";
import type { ResourceInstance } from "#preview/module/evaluator.ts";
import type { ConfigGraph } from "#preview/module/graph.ts";
import type { Change } from "./changes.ts";
import { decodeBody } from "./decode.ts";
import { buildSteps, type Step } from "./steps.ts";
import { ignoreChanges } from "./plan.ts";
import type { StateInstance } from "./state.ts";
import type { StateStore } from "./state-store.ts";
import { withMarks } from "./schema.ts";
import { placeProblem } from "./problems.ts";
import { DockerApiError } from "./docker/client.ts";
import type { Made, ManagedType, TypeContext, TypeProblem } from "./types/native-type.ts";

export type ProvisionWhen = "create" | "destroy";

export interface ApplyOptions {
  readonly changes: readonly Change[];
  readonly graph: ConfigGraph;
  /** The configured instance; asked only when what it depends on is done. */
  readonly instanceOf: (change: Change) => ResourceInstance | undefined;
  readonly store: StateStore;
  readonly context: TypeContext;
  readonly canceled: AbortSignal;
  readonly log: (line: string) => void;
  /** A warning with its place. */
  readonly warn: (diagnostic: Diagnostic) => void;
  /** Runs an instance's provisioners; throws when one fails. */
  readonly provision: (
    when: ProvisionWhen,
    change: Change,
    self: Value,
    instance: ResourceInstance | undefined,
  ) => Promise<void>;
  readonly now: () => number;
}

export interface ApplyFailure {
  readonly address: string;
  readonly message: string;
  /** Where the failure has a place in the configuration. */
  readonly diagnostic?: Diagnostic;
}

const parallel = 10;

/** Provider and module addresses in the state's notation. */
export const storedProvider = (address: string): string => `provider[${JSON.stringify(address)}]`;

/** Runs every step whose needs succeeded; returns what failed. */
export async function applyChanges(options: ApplyOptions): Promise<ApplyFailure[]> {
  const steps = buildSteps(options.changes, options.graph);
  const failures: ApplyFailure[] = [];
  const done = new Set<string>();
  const failed = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const open = new Map(steps.map((step) => [step.id, step] as const));
  for (;;) {
    for (const step of open.values()) {
      if (running.size >= parallel || options.canceled.aborted) break;
      if ([...step.needs].some((need) => failed.has(need))) {
        open.delete(step.id);
        failed.add(step.id);
        continue;
      }
      if (![...step.needs].every((need) => done.has(need))) continue;
      open.delete(step.id);
      running.set(
        step.id,
        runStep(step, options, failures, done, failed).finally(() => running.delete(step.id)),
      );
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (options.canceled.aborted && open.size > 0) failures.push({ address: "", message: "canceled" });
  return failures;
}

async function runStep(
  step: Step,
  options: ApplyOptions,
  failures: ApplyFailure[],
  done: Set<string>,
  failed: Set<string>,
): Promise<void> {
  try {
    if (step.kind === "destroy") await destroy(step.change, options);
    else if (step.change.action === "update") await update(step.change, options);
    else await create(step.change, options);
    done.add(step.id);
  } catch (error) {
    failed.add(step.id);
    const text =
      error instanceof HclError && error.diagnostic.range
        ? `${error.message} (${error.diagnostic.range.file} line ${error.diagnostic.range.start.line})`
        : error instanceof Error
          ? error.message
          : String(error);
    const place = error instanceof HclError && error.diagnostic.range ? { diagnostic: error.diagnostic } : {};
    failures.push({ address: step.change.address, message: text, ...place });
  }
}

/** The configuration anew, now that what it depends on is known. */
function configOf(
  change: Change,
  options: ApplyOptions,
): { readonly config: Value; readonly instance: ResourceInstance } {
  const instance = options.instanceOf(change);
  if (!instance) throw new Error(`${change.address} is not in the configuration`);
  const { block } = instance.resource;
  const decoded = decodeBody(block.body, change.type.schema, instance.scope, headRange(block));
  const [problem] = decoded.diagnostics.filter(({ severity }) => severity === "error");
  if (problem) throw new HclError(problem.summary, problem.detail, problem.range, change.address);
  if (!v.isWhollyKnown(decoded.config)) throw new Error("a value is still not known");
  throwError(change.type.validate?.(v.unmarkDeep(decoded.config)) ?? [], instance);
  return { config: decoded.config, instance };
}

function stored(change: Change, value: Value, tainted: boolean): StateInstance {
  return {
    address: change.address,
    module: change.module,
    mode: "managed",
    type: change.type.type,
    name: change.name,
    key: change.key,
    provider: storedProvider(change.type.provider),
    value,
    stored: {},
    tainted,
    dependencies: change.dependencies,
    createBeforeDestroy: change.createFirst,
  };
}

function idOf(value: Value): string {
  const id = v.entries(value).get("id")?.content;
  return typeof id === "string" && id !== "" ? ` [id=${id}]` : "";
}

const seconds = (from: number, options: ApplyOptions): string =>
  `${Math.round((options.now() - from) / 1000)}s`;

async function create(change: Change, options: ApplyOptions): Promise<void> {
  const { config, instance } = configOf(change, options);
  const begun = options.now();
  options.log(`${change.address}: Creating...`);
  if (change.action === "replace" && change.createFirst && change.prior) {
    options.store.depose(change.address, options.context.rand.bytes(4).toString("hex"));
  }
  const plan = change.type.plan(v.unmarkDeep(config), undefined);
  throwError(plan.problems, instance);
  const made = await makeIt(change, plan.planned, config, options);
  for (const problem of made.problems) {
    if (problem.severity === "warning") options.warn(placeProblem(problem, instance));
  }
  if (made.exists) options.store.put(stored(change, withMarks(made.state, config, change.type.schema), true));
  throwError(made.problems, instance);
  const value = withMarks(made.state, config, change.type.schema);
  const provisioned = instance.resource.provisioners.length > 0;
  // Tainted until its provisioners succeeded: a crash in the middle must not look like success.
  options.store.put(stored(change, value, provisioned));
  if (provisioned) {
    await options.provision("create", change, value, instance);
    options.store.put(stored(change, value, false));
  }
  options.log(`${change.address}: Creation complete after ${seconds(begun, options)}${idOf(value)}`);
}

/**
 * What the world names itself is written down under the name that finds it before it is made. A refusal takes that
 * back; a lost answer does not, for then it may be there.
 */
async function makeIt(change: Change, planned: Value, config: Value, options: ApplyOptions): Promise<Made> {
  const { type } = change;
  const { store, context } = options;
  if (!type.intent) return type.create(planned, context);
  const intent = withMarks(await type.intent(planned, context), config, type.schema);
  store.put(stored(change, intent, true));
  try {
    return await type.create(planned, context);
  } catch (error) {
    if (error instanceof DockerApiError) store.remove(change.address, false);
    throw error;
  }
}

async function update(change: Change, options: ApplyOptions): Promise<void> {
  const { config, instance } = configOf(change, options);
  const prior = change.before;
  const type: ManagedType = change.type;
  if (!prior || !type.update) throw new Error(`${change.address} cannot be changed in place`);
  const begun = options.now();
  options.log(`${change.address}: Modifying...${idOf(prior)}`);
  const wanted = ignoreChanges(instance.resource, type, config, prior);
  const plan = type.plan(v.unmarkDeep(wanted), v.unmarkDeep(prior));
  throwError(plan.problems, instance);
  const made = await type.update(plan.planned, v.unmarkDeep(prior), options.context);
  throwError(made.problems, instance);
  const value = withMarks(made.state, config, type.schema);
  options.store.put(stored(change, value, false));
  options.log(`${change.address}: Modifications complete after ${seconds(begun, options)}${idOf(value)}`);
}

async function destroy(change: Change, options: ApplyOptions): Promise<void> {
  const { prior } = change;
  if (!prior) return;
  const begun = options.now();
  const value = prior.value ?? v.nullOf();
  options.log(`${prior.address}: Destroying...${idOf(value)}`);
  if (!prior.tainted) {
    await options.provision("destroy", change, value, undefined);
  }
  await change.type.destroy?.(v.unmarkDeep(value), options.context);
  options.store.remove(prior.address, change.createFirst || prior.deposed !== undefined);
  options.log(`${prior.address}: Destruction complete after ${seconds(begun, options)}`);
}

function throwError(problems: readonly TypeProblem[], instance: ResourceInstance): void {
  const problem = problems.find(({ severity }) => severity === "error");
  if (!problem) return;
  const { summary, detail, range, address } = placeProblem(problem, instance);
  throw new HclError(summary, detail, range, address);
}
