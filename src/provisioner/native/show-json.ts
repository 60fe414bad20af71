/** What `terraform show -json` prints for a plan or a state: the conversion to resources and the cached plan read it. */
import type { JsonTree } from "#preview/cty/json.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import type { Key } from "#preview/module/evaluator.ts";
import { compareText } from "#preview/cty/type.ts";
import type { Action, Change, PlannedRun } from "./changes.ts";
import { compareKeys, type State } from "./state.ts";
import { findType } from "./types/table.ts";
import { knownJson, sensitiveJson, unknownJson } from "./values.ts";

interface Shown {
  readonly address: string;
  readonly module: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly name: string;
  readonly key: Key;
  readonly provider: string;
  readonly version: number;
  readonly value: Value;
  readonly dependsOn?: readonly string[];
}

const terraformVersion = "1.11.4";

function resourceJson(item: Shown): JsonTree {
  return {
    address: item.address,
    mode: item.mode,
    type: item.type,
    name: item.name,
    ...(item.key === undefined ? {} : { index: item.key }),
    provider_name: item.provider,
    schema_version: item.version,
    values: knownJson(item.value) ?? {},
    sensitive_values: sensitiveJson(v.raw(item.value.type, item.value.content)),
    ...(item.dependsOn && item.dependsOn.length > 0 ? { depends_on: item.dependsOn } : {}),
  };
}

/** Nests modules by their addresses; data sources come before managed resources, each group in order. */
function moduleTree(items: readonly Shown[]): JsonTree {
  interface Node {
    readonly items: Shown[];
    readonly children: Map<string, Node>;
  }
  const root: Node = { items: [], children: new Map() };
  for (const item of items) {
    let node = root;
    for (const part of modulePath(item.module)) {
      let next = node.children.get(part);
      if (!next) {
        next = { items: [], children: new Map() };
        node.children.set(part, next);
      }
      node = next;
    }
    node.items.push(item);
  }
  const print = (node: Node, address: string): JsonTree => {
    const sorted = node.items.toSorted(
      (a, b) =>
        compareText(a.mode, b.mode) ||
        compareText(`${a.type}.${a.name}`, `${b.type}.${b.name}`) ||
        compareKeys(a.key, b.key),
    );
    return {
      ...(sorted.length > 0 ? { resources: sorted.map(resourceJson) } : {}),
      ...(address === "" ? {} : { address }),
      ...(node.children.size > 0
        ? {
            child_modules: [...node.children]
              .sort(([a], [b]) => compareText(a, b))
              .map(([name, child]) => print(child, address === "" ? name : `${address}.${name}`)),
          }
        : {}),
    };
  };
  return print(root, "");
}

/** `module.a["x.y"].module.b` → its two parts. */
export function modulePath(address: string): string[] {
  return address.match(/module\.[^.[]+(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?/g) ?? [];
}

const actions: Readonly<Record<Action, readonly string[]>> = {
  "no-op": ["no-op"],
  create: ["create"],
  update: ["update"],
  replace: ["delete", "create"],
  delete: ["delete"],
};

function changeJson(change: Change): JsonTree {
  const { before, after } = change;
  return {
    address: change.address,
    ...(change.module === "" ? {} : { module_address: change.module }),
    mode: "managed",
    type: change.type.type,
    name: change.name,
    ...(change.key === undefined ? {} : { index: change.key }),
    ...(change.prior?.deposed === undefined ? {} : { deposed: change.prior.deposed }),
    provider_name: change.type.provider,
    change: {
      actions:
        change.action === "replace" && change.createFirst ? ["create", "delete"] : actions[change.action],
      before: before ? (knownJson(before) ?? null) : null,
      after: after ? (knownJson(after) ?? null) : null,
      after_unknown: after ? unknownJson(after) : {},
      before_sensitive: before ? sensitiveJson(before) : false,
      after_sensitive: after ? sensitiveJson(after) : false,
      ...(change.replacePaths.length > 0
        ? { replace_paths: change.replacePaths.map((path) => [...path]) }
        : {}),
    },
    ...(change.action === "replace"
      ? { action_reason: change.prior?.tainted ? "replace_because_tainted" : "replace_because_cannot_update" }
      : {}),
  };
}

/** The plan; `state` is the refreshed prior state. */
export function planJson(run: PlannedRun, state: State, destroy: boolean): JsonTree {
  const planned: Shown[] = [];
  const changes: JsonTree[] = [];
  for (const change of run.changes) {
    changes.push(changeJson(change));
    if (!change.after) continue;
    planned.push({
      address: change.address,
      module: change.module,
      mode: "managed",
      type: change.type.type,
      name: change.name,
      key: change.key,
      provider: change.type.provider,
      version: change.type.version,
      value: change.after,
    });
  }
  // A destroy reads nothing anew: what the state knows of data sources counts.
  const prior: Shown[] = shownState(state, destroy ? undefined : "managed");
  for (const read of run.data) {
    const shown: Shown = {
      address: read.address,
      module: read.module,
      mode: "data",
      type: read.type.type,
      name: read.name,
      key: read.key,
      provider: read.type.provider,
      version: read.type.version,
      value: read.value,
    };
    (read.deferred ? planned : prior).push(shown);
  }
  return {
    format_version: "1.2",
    terraform_version: terraformVersion,
    planned_values: { root_module: moduleTree(planned) },
    resource_changes: changes,
    ...(prior.length > 0
      ? {
          prior_state: {
            format_version: "1.0",
            terraform_version: terraformVersion,
            values: { root_module: moduleTree(prior) },
          },
        }
      : {}),
  };
}

function shownState(state: State, mode?: "managed" | "data"): Shown[] {
  const out: Shown[] = [];
  for (const instance of state.instances.values()) {
    if (!instance.value || instance.deposed !== undefined || (mode && instance.mode !== mode)) continue;
    const type = findType(instance.mode, instance.type);
    out.push({
      address: instance.address,
      module: instance.module,
      mode: instance.mode,
      type: instance.type,
      name: instance.name,
      key: instance.key,
      provider: type?.provider ?? "",
      version: type?.version ?? 0,
      value: instance.value,
      dependsOn: instance.dependencies,
    });
  }
  return out;
}

export function stateJson(state: State): JsonTree {
  const shown = shownState(state);
  return {
    format_version: "1.0",
    terraform_version: terraformVersion,
    ...(shown.length > 0 ? { values: { root_module: moduleTree(shown) } } : {}),
  };
}
