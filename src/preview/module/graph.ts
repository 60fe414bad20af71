/**
 * Who refers to whom, before anything is evaluated: variables, locals, outputs, resources and data sources of all
 * modules. Node names are Terraform's (`module.a.coder_app.web`, `local.x`, `module.a (close)`).
 */
import type { ModuleConfig, Reference, ResourceConfig } from "./config.ts";
import { metaBlocks } from "./config.ts";
import { bodyReferences, references } from "./references.ts";

export interface GraphNode {
  readonly name: string;
  /** Given for resources and data sources. */
  readonly resource?: ResourceConfig;
  readonly module: ModuleConfig;
  readonly kind: "resource" | "local" | "variable" | "output" | "expand" | "close";
}

export interface ConfigGraph {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  /** From a node to what it needs. */
  readonly edges: ReadonlyMap<string, ReadonlySet<string>>;
}

export const modulePrefix = (path: readonly string[]): string =>
  path.map((name) => `module.${name}.`).join("");

export function buildGraph(root: ModuleConfig): ConfigGraph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, Set<string>>();
  const wanted: (readonly [string, ModuleConfig, readonly Reference[]])[] = [];
  const add = (node: GraphNode, needs: readonly Reference[], scope: ModuleConfig = node.module): void => {
    nodes.set(node.name, node);
    edges.set(node.name, new Set());
    wanted.push([node.name, scope, needs]);
  };
  visit(root, undefined, add, edges);
  for (const [from, scope, needs] of wanted) {
    for (const reference of needs) {
      for (const to of targets(scope, reference)) if (nodes.has(to) && to !== from) edges.get(from)?.add(to);
    }
  }
  return { nodes, edges };
}

type Add = (node: GraphNode, needs: readonly Reference[], scope?: ModuleConfig) => void;

function visit(
  module: ModuleConfig,
  parent: ModuleConfig | undefined,
  add: Add,
  edges: ReadonlyMap<string, Set<string>>,
): void {
  const prefix = modulePrefix(module.path);
  const inside = (node: string): void => {
    if (!parent) return;
    edges.get(node)?.add(`${prefix.slice(0, -1)} (expand)`);
    edges.get(`${prefix.slice(0, -1)} (close)`)?.add(node);
  };
  const call = parent?.calls.get(module.path.at(-1) ?? "");
  if (parent && call) {
    const expansion = [call.count, call.forEach].flatMap((item) => (item ? references(item) : []));
    const name = prefix.slice(0, -1);
    add({ name: `${name} (expand)`, module, kind: "expand" }, [...expansion, ...call.dependsOn], parent);
    add({ name: `${name} (close)`, module, kind: "close" }, []);
    if (parent.path.length > 0) {
      edges.get(`${name} (expand)`)?.add(`${modulePrefix(parent.path).slice(0, -1)} (expand)`);
      edges.get(`${modulePrefix(parent.path).slice(0, -1)} (close)`)?.add(`${name} (close)`);
    }
    edges.get(`${name} (close)`)?.add(`${name} (expand)`);
  }
  for (const variable of module.variables.values()) {
    const name = `${prefix}var.${variable.name}`;
    const argument = call?.block.body.attributes.get(variable.name)?.value;
    add({ name, module, kind: "variable" }, argument ? references(argument) : [], parent ?? module);
    inside(name);
  }
  for (const local of module.locals.values()) {
    const name = `${prefix}local.${local.name}`;
    add({ name, module, kind: "local" }, references(local.value));
    inside(name);
  }
  for (const output of module.outputs.values()) {
    const name = `${prefix}output.${output.name}`;
    add({ name, module, kind: "output" }, [
      ...(output.value ? references(output.value) : []),
      ...output.dependsOn,
    ]);
    inside(name);
  }
  for (const resource of module.resources.values()) {
    const name = `${prefix}${resource.key}`;
    const own = bodyReferences(resource.block.body, (block) => metaBlocks.has(block.type));
    const provisioned = resource.provisioners.flatMap((block) => bodyReferences(block.body));
    const triggers = resource.lifecycle?.body.attributes.get("replace_triggered_by")?.value;
    const needs = [...own, ...provisioned, ...resource.dependsOn, ...(triggers ? references(triggers) : [])];
    add({ name, module, resource, kind: "resource" }, needs);
    inside(name);
  }
  for (const inner of module.calls.values()) if (inner.module) visit(inner.module, module, add, edges);
}

/** Nodes that a reference may mean. */
function targets(module: ModuleConfig, { root, path }: Reference): string[] {
  const prefix = modulePrefix(module.path);
  const [first = "", second = ""] = path;
  switch (root) {
    case "var":
    case "local":
      return [`${prefix}${root}.${first}`];
    case "data":
      return [`${prefix}data.${first}.${second}`];
    case "module": {
      const called = module.calls.get(first)?.module;
      if (called && second !== "" && called.outputs.has(second)) {
        return [`${prefix}module.${first}.output.${second}`];
      }
      return [`${prefix}module.${first} (close)`];
    }
    case "each":
    case "count":
    case "self":
    case "path":
    case "terraform":
      return [];
    default:
      return [`${prefix}${root}.${first}`];
  }
}

/** Everything that a node needs, directly or not. */
export function ancestors(graph: ConfigGraph, name: string): Set<string> {
  const seen = new Set<string>();
  const open = [...(graph.edges.get(name) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(graph.edges.get(next) ?? []));
  }
  return seen;
}

/** A cycle's nodes in order, if there is one. */
export function findCycle(graph: ConfigGraph): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of graph.nodes.keys()) {
    if (done.has(start)) continue;
    const path: string[] = [];
    const on = new Set<string>();
    const stack: { name: string; rest: Iterator<string> }[] = [];
    const enter = (name: string): void => {
      path.push(name);
      on.add(name);
      stack.push({ name, rest: (graph.edges.get(name) ?? new Set<string>()).values() });
    };
    enter(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const step = top.rest.next();
      if (step.done) {
        done.add(top.name);
        on.delete(top.name);
        path.pop();
        stack.pop();
      } else if (on.has(step.value)) {
        return path.slice(path.indexOf(step.value));
      } else if (!done.has(step.value)) enter(step.value);
    }
  }
  return undefined;
}
