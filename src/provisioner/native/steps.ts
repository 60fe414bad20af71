/** Changes → steps with what each waits for. Pure. */
import { ancestors, type ConfigGraph } from "#preview/module/graph.ts";
import type { Change } from "./changes.ts";

export interface Step {
  readonly id: string;
  readonly kind: "make" | "destroy";
  readonly change: Change;
  /** Ids of steps that must have succeeded. */
  readonly needs: ReadonlySet<string>;
}

const makeId = (change: Change): string => `make ${change.address}`;
const destroyId = (change: Change): string => `destroy ${change.address} ${change.prior?.deposed ?? ""}`;
const makes = (change: Change): boolean =>
  change.action === "create" || change.action === "update" || change.action === "replace";
const destroys = (change: Change): boolean => change.action === "delete" || change.action === "replace";

export function buildSteps(changes: readonly Change[], graph: ConfigGraph): Step[] {
  const byConfig = new Map<string, Change[]>();
  for (const change of changes) {
    const group = byConfig.get(change.configAddress);
    if (group) group.push(change);
    else byConfig.set(change.configAddress, [change]);
  }
  const needsOf = (change: Change): Change[] => {
    const names = graph.nodes.has(change.configAddress)
      ? ancestors(graph, change.configAddress)
      : new Set(change.dependencies);
    return [...names].flatMap((name) => byConfig.get(name) ?? []);
  };
  // Who depended on an instance when it was made: they go before it goes.
  const dependents = new Map<string, Change[]>();
  for (const change of changes) {
    for (const name of change.prior?.dependencies ?? []) {
      const group = dependents.get(name);
      if (group) group.push(change);
      else dependents.set(name, [change]);
    }
  }
  const steps: Step[] = [];
  for (const change of changes) {
    if (makes(change)) {
      const needs = new Set(needsOf(change).filter(makes).map(makeId));
      if (change.action === "replace" && !change.createFirst) needs.add(destroyId(change));
      // A dependent's removal sees this as it was.
      for (const other of dependents.get(change.configAddress) ?? []) {
        if (destroys(other) && !other.createFirst && change.action === "update") needs.add(destroyId(other));
      }
      steps.push({ id: makeId(change), kind: "make", change, needs });
    }
    if (destroys(change)) {
      const needs = new Set<string>();
      for (const other of dependents.get(change.configAddress) ?? []) {
        if (other === change) continue;
        if (destroys(other)) needs.add(destroyId(other));
        else if (makes(other) && change.createFirst) needs.add(makeId(other));
      }
      if (change.action === "replace" && change.createFirst) needs.add(makeId(change));
      steps.push({ id: destroyId(change), kind: "destroy", change, needs });
    }
  }
  return steps;
}
