/**
 * A state file (version 4) in the shape of `terraform show -json`, as far as the conversion reads it; so that a build
 * need not start Terraform once more to be told what the file says. Types of attributes are Terraform's business: those
 * that we look at are stored as plain JSON.
 */
import { isRecord, kind } from "./convert/json.ts";

type Json = Readonly<Record<string, unknown>>;

/** The state cannot be read: the message says what it has instead. */
export class StateError extends Error {
  override readonly name = "StateError";
}

interface Resource {
  readonly address: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly name: string;
  readonly values: Json;
}

interface Module {
  readonly address: string;
  readonly resources: Resource[];
  readonly children: Map<string, Module>;
}

function text(from: Json, name: string): string {
  const value = from[name];
  if (typeof value !== "string") {
    throw new StateError(`a resource of the state has no ${name}: received ${kind(value)}`);
  }
  return value;
}

function indexText(key: unknown): string {
  if (typeof key === "number") return `[${key}]`;
  return typeof key === "string" ? `[${JSON.stringify(key)}]` : "";
}

/** `module.a["x.y"].module.b` → its steps, outermost first, each with the whole address so far. */
function moduleSteps(address: string): string[] {
  const pattern = /module\.[^.[\]]+(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?/y;
  const out: string[] = [];
  let at = 0;
  while (at < address.length) {
    pattern.lastIndex = at;
    if (!pattern.test(address)) {
      throw new StateError(`a module of the state has no address: ${JSON.stringify(address)}`);
    }
    at = pattern.lastIndex;
    out.push(address.slice(0, at));
    if (address[at] === ".") at += 1;
  }
  return out;
}

function moduleAt(root: Module, address: string): Module {
  let module = root;
  for (const step of moduleSteps(address)) {
    const child: Module = module.children.get(step) ?? { address: step, resources: [], children: new Map() };
    module.children.set(step, child);
    module = child;
  }
  return module;
}

function addResource(root: Module, from: Json): void {
  const mode = from["mode"] === "data" ? "data" : "managed";
  const type = text(from, "type");
  const name = text(from, "name");
  const module = moduleAt(root, typeof from["module"] === "string" ? from["module"] : "");
  const prefix = `${module.address === "" ? "" : `${module.address}.`}${mode === "data" ? "data." : ""}${type}.${name}`;
  const instances = Array.isArray(from["instances"]) ? from["instances"].filter(isRecord) : [];
  for (const instance of instances) {
    // A deposed object waits to be destroyed: it is no part of what exists.
    if (instance["deposed"] !== undefined) continue;
    const values = isRecord(instance["attributes"]) ? instance["attributes"] : {};
    module.resources.push({
      address: `${prefix}${indexText(instance["index_key"])}`,
      mode,
      type,
      name,
      values,
    });
  }
}

function byAddress(one: { readonly address: string }, other: { readonly address: string }): number {
  return one.address < other.address ? -1 : one.address > other.address ? 1 : 0;
}

function moduleJson({ address, resources, children }: Module): Json {
  const sorted = resources.toSorted(byAddress);
  return {
    ...(address === "" ? {} : { address }),
    resources: [
      ...sorted.filter(({ mode }) => mode === "data"),
      ...sorted.filter(({ mode }) => mode === "managed"),
    ],
    child_modules: [...children.values()].sort(byAddress).map(moduleJson),
  };
}

/** Throws a StateError where the bytes are no state that we can read. */
export function stateJson(state: Uint8Array): unknown {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(state).toString("utf8"));
  } catch (cause) {
    throw new StateError("the state is no JSON", { cause });
  }
  if (!isRecord(json) || json["version"] !== 4) {
    throw new StateError("the state is not of version 4, which Terraform has written since 0.12");
  }
  const root: Module = { address: "", resources: [], children: new Map() };
  for (const resource of Array.isArray(json["resources"]) ? json["resources"].filter(isRecord) : []) {
    addResource(root, resource);
  }
  return { values: { root_module: moduleJson(root) } };
}
