/** The resources of a plan or a state, in the orders that the conversion needs. */
import type { ModuleJson, ResourceJson } from "./json.ts";

export interface Collected {
  /** Managed resources by type, each type sorted by address in byte order. */
  managed(type: string): readonly ResourceJson[];
  /** All managed resources, sorted by address in byte order. */
  readonly allManaged: readonly ResourceJson[];
  /** Data sources of a type, sorted by address in byte order. */
  data(type: string): readonly ResourceJson[];
  /** Data sources and managed resources as they stand: child modules before their parent's own. */
  readonly inOrder: readonly ResourceJson[];
}

function* walk(module: ModuleJson): Iterable<ResourceJson> {
  for (const child of module.childModules) yield* walk(child);
  yield* module.resources;
}

/** Keeps what can be known before an apply: data sources. */
export function onlyData(module: ModuleJson): ModuleJson {
  return {
    resources: module.resources.filter((resource) => resource.mode === "data"),
    childModules: module.childModules.map(onlyData),
  };
}

export function byteOrder(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** An address that occurs twice (read before and planned) counts once, the later one. */
export function collect(modules: readonly ModuleJson[]): Collected {
  const inOrder = modules.flatMap((module) => [...walk(module)]);
  const byAddress = new Map(inOrder.map((resource) => [resource.address, resource]));
  const sorted = [...byAddress.values()].sort((one, other) => byteOrder(one.address, other.address));
  const allManaged = sorted.filter((resource) => resource.mode === "managed");
  const data = sorted.filter((resource) => resource.mode === "data");
  return {
    managed: (type) => allManaged.filter((resource) => resource.type === type),
    allManaged,
    data: (type) => data.filter((resource) => resource.type === type),
    inOrder,
  };
}
