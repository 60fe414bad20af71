/** What a type says about a configuration, as diagnostics with their places in the files. */
import { headRange, rangeOf, type Body } from "#preview/hcl/ast.ts";
import type { Diagnostic, Range } from "#preview/hcl/source.ts";
import type { ResourceInstance } from "#preview/module/evaluator.ts";
import type { Path, TypeProblem } from "./types/native-type.ts";

/** The value of the argument that a path names; undefined where the configuration does not write it out. */
function rangeAt(body: Body, [name, index, ...rest]: Path): Range | undefined {
  if (typeof name !== "string") return undefined;
  const attribute = body.attributes.get(name);
  if (attribute) return rangeOf(attribute.value);
  if (typeof index !== "number") return undefined;
  const block = body.blocks.filter(({ type }) => type === name)[index];
  if (!block) return undefined;
  return rest.length === 0 ? headRange(block) : rangeAt(block.body, rest);
}

export function placeProblem(
  { severity, summary, detail, path }: TypeProblem,
  { resource, address }: Pick<ResourceInstance, "resource" | "address">,
): Diagnostic {
  const { block } = resource;
  return {
    severity,
    summary,
    detail: detail ?? "",
    range: (path && rangeAt(block.body, path)) ?? headRange(block),
    address,
  };
}
