/**
 * What `terraform show -json` prints of a plan or a state, as far as we read it. The native engine builds the same
 * shape. `readPlan` and `readState` are the edge: what passes them has these types.
 */

export type Values = Readonly<Record<string, unknown>>;

export interface ResourceJson {
  readonly address: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly name: string;
  /** Null attributes are present as null, unknown ones are absent. */
  readonly values: Values;
}

export interface ModuleJson {
  readonly resources: readonly ResourceJson[];
  readonly childModules: readonly ModuleJson[];
}

export interface ResourceChangeJson {
  readonly address: string;
  readonly type: string;
  readonly actions: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
  readonly afterUnknown: unknown;
  readonly beforeSensitive: unknown;
  readonly afterSensitive: unknown;
  readonly replacePaths: readonly (readonly (string | number)[])[];
}

export interface PlanJson {
  readonly plannedValues: ModuleJson;
  /** Absent where Terraform had nothing to read before. */
  readonly priorState: ModuleJson | undefined;
  readonly resourceChanges: readonly ResourceChangeJson[];
}

export interface StateJson {
  /** Absent in an empty state. */
  readonly root: ModuleJson | undefined;
}

/** Deeper nesting of modules than anybody writes by hand. */
const maxModuleDepth = 100;

export function isRecord(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function record(what: string, value: unknown): Values {
  if (!isRecord(value)) {
    throw new Error(`${what} of Terraform's JSON must be an object: received ${kind(value)}`);
  }
  return value;
}

function list(what: string, value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    throw new Error(`${what} of Terraform's JSON must be a list: received ${kind(value)}`);
  }
  return value;
}

function text(what: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new Error(`${what} of Terraform's JSON must be a string: received ${kind(value)}`);
  }
  return value;
}

/** The JSON type of a value, for messages. */
export function kind(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "list" : typeof value;
}

function readResource(value: unknown): ResourceJson {
  const from = record("a resource", value);
  return {
    address: text("a resource's address", from["address"]),
    mode: from["mode"] === "data" ? "data" : "managed",
    type: text("a resource's type", from["type"]),
    name: text("a resource's name", from["name"]),
    values:
      from["values"] === undefined || from["values"] === null
        ? {}
        : record("a resource's values", from["values"]),
  };
}

function readModule(value: unknown, depth = 0): ModuleJson {
  if (depth > maxModuleDepth) throw new Error(`modules are nested deeper than ${maxModuleDepth} levels`);
  const from = record("a module", value);
  return {
    resources: list("a module's resources", from["resources"]).map(readResource),
    childModules: list("a module's child_modules", from["child_modules"]).map((child) =>
      readModule(child, depth + 1),
    ),
  };
}

function readRoot(value: unknown): ModuleJson | undefined {
  if (value === undefined || value === null) return undefined;
  const root = record("values", value)["root_module"];
  return root === undefined || root === null ? undefined : readModule(root);
}

function readPath(value: unknown): (string | number)[] {
  return list("a replace path", value).map((step) => {
    if (typeof step === "string" || typeof step === "number") return step;
    throw new Error(`a step of a replace path must be a string or a number: received ${kind(step)}`);
  });
}

function readChange(value: unknown): ResourceChangeJson {
  const from = record("a resource change", value);
  const change = record("a change", from["change"]);
  return {
    address: text("a resource change's address", from["address"]),
    type: text("a resource change's type", from["type"]),
    actions: list("actions", change["actions"]).map((action) => text("an action", action)),
    before: change["before"],
    after: change["after"],
    afterUnknown: change["after_unknown"],
    beforeSensitive: change["before_sensitive"],
    afterSensitive: change["after_sensitive"],
    replacePaths: list("replace_paths", change["replace_paths"]).map(readPath),
  };
}

/** Reads `terraform show -json PLAN`, parsed. Throws an Error that names what has the wrong shape. */
export function readPlan(json: unknown): PlanJson {
  const from = record("the plan", json);
  const prior = from["prior_state"];
  return {
    plannedValues: readRoot(from["planned_values"]) ?? { resources: [], childModules: [] },
    priorState: prior === undefined || prior === null ? undefined : readState(prior).root,
    resourceChanges: list("resource_changes", from["resource_changes"]).map(readChange),
  };
}

/** Reads `terraform show -json`, parsed. Throws an Error that names what has the wrong shape. */
export function readState(json: unknown): StateJson {
  return { root: readRoot(record("the state", json)["values"]) };
}
