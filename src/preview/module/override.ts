/** Override files: their blocks change blocks of the other files before anything is read (provisioning.md §12.6). */
import { type Attribute, type Block, type Body, headRange } from "../hcl/ast.ts";
import type { Diagnostic } from "../hcl/source.ts";

export interface NamedBody {
  readonly name: string;
  readonly body: Body;
}

export const isOverride = (name: string): boolean => /(?:^|_)override\.tf(?:\.json)?$/.test(name);

const identity = (block: Block): string => [block.type, ...block.labels].join(".");

const warning = (summary: string, detail: string, block?: Block): Diagnostic => ({
  severity: "warning",
  summary,
  detail,
  range: block ? headRange(block) : undefined,
});

/** On any mistake nothing is merged: override files then count as ordinary ones, with a warning. */
export function mergeOverrides(
  primary: readonly NamedBody[],
  overrides: readonly NamedBody[],
): { readonly bodies: readonly NamedBody[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  let merged = primary.map((file) => ({ name: file.name, body: file.body }));
  for (const { name, body } of overrides) {
    if (name.endsWith(".json")) {
      diagnostics.push(warning("Override file ignored", `${name}: JSON override files are not supported.`));
      continue;
    }
    for (const block of body.blocks) {
      if (block.type === "terraform") {
        diagnostics.push(
          warning("Override block ignored", `The terraform block of ${name} is ignored.`, block),
        );
        continue;
      }
      const before = merged;
      merged = merged.map((file) => ({ name: file.name, body: overrideIn(file.body, block) }));
      if (merged.every((file, at) => file.body === before[at]?.body)) {
        const detail = `override block ${JSON.stringify(identity(block))} in ${name} has no matching block in a primary file`;
        const bodies = [...primary, ...overrides];
        return {
          bodies,
          diagnostics: [warning("Override file merging disabled due to an error", detail, block)],
        };
      }
    }
  }
  return { bodies: merged, diagnostics };
}

/** The same body if nothing in it is overridden. */
function overrideIn(body: Body, by: Block): Body {
  if (by.type === "locals") return overrideLocals(body, by);
  const at = body.blocks.findIndex((block) => identity(block) === identity(by));
  const target = body.blocks[at];
  if (!target) return body;
  const changed: Block = { ...target, body: mergeBody(target.body, by.body) };
  return { ...body, blocks: body.blocks.with(at, changed) };
}

function overrideLocals(body: Body, by: Block): Body {
  let changed = false;
  const blocks = body.blocks.map((block) => {
    if (block.type !== "locals") return block;
    const attributes = new Map<string, Attribute>(block.body.attributes);
    for (const [name, attribute] of by.body.attributes) {
      if (!attributes.has(name)) continue;
      attributes.set(name, attribute);
      changed = true;
    }
    return { ...block, body: { ...block.body, attributes } };
  });
  return changed ? { ...body, blocks } : body;
}

/** Attributes one by one; nested blocks of a kind as a whole, `dynamic "x"` counting as `x`. */
function mergeBody(base: Body, by: Body): Body {
  const kind = (block: Block): string => (block.type === "dynamic" ? (block.labels[0] ?? "") : block.type);
  const replaced = new Set(by.blocks.map(kind));
  return {
    ...base,
    attributes: new Map([...base.attributes, ...by.attributes]),
    blocks: [...base.blocks.filter((block) => !replaced.has(kind(block))), ...by.blocks],
  };
}
