/** Data sources that the import's plan has read: their values by address. */
import { fromJson } from "../cty/json.ts";
import { ValueError, type Value } from "../cty/value.ts";

const maxDepth = 32;

/** The plan is what an engine reported: anything in it may be missing. `coder_*` ones are left to the preview. */
export function planData(plan: unknown): Map<string, Value> {
  const out = new Map<string, Value>();
  const { prior_state }: { prior_state?: unknown } = Object(plan);
  const { values }: { values?: unknown } = Object(prior_state);
  const { root_module }: { root_module?: unknown } = Object(values);
  visit(root_module, out, 0);
  return out;
}

function visit(module: unknown, out: Map<string, Value>, depth: number): void {
  if (depth > maxDepth) return;
  const { resources, child_modules }: { resources?: unknown; child_modules?: unknown } = Object(module);
  for (const item of Array.isArray(resources) ? resources : []) {
    const resource: { address?: unknown; mode?: unknown; type?: unknown; values?: unknown } = Object(item);
    const { address, mode, type } = resource;
    if (
      typeof address !== "string" ||
      mode !== "data" ||
      typeof type !== "string" ||
      type.startsWith("coder_")
    ) {
      continue;
    }
    try {
      out.set(address, fromJson(resource.values));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
    }
  }
  for (const child of Array.isArray(child_modules) ? child_modules : []) visit(child, out, depth + 1);
}
