/** Workspace tags, presets and variables of a template. */
import { typeName } from "../cty/type.ts";
import * as v from "../cty/value.ts";
import type { Scope } from "../hcl/scope.ts";
import { HclError } from "../hcl/source.ts";
import type { ModuleConfig } from "../module/config.ts";
import type { ResourceInstance } from "../module/evaluator.ts";
import { applyConstraint, readConstraint } from "../module/type-constraint.ts";
import { evaluate } from "../hcl/evaluate.ts";
import { attempt, reader, valueState } from "./lenient.ts";
import { readName } from "./parameter.ts";
import {
  type PreviewDiagnostic,
  type PreviewPreset,
  type PreviewTag,
  type PreviewTagBlock,
  type PreviewVariable,
  problem,
} from "./wire.ts";

/** A block of tags, or what is wrong with it as a whole. */
export function readTags(instance: ResourceInstance): PreviewTagBlock | PreviewDiagnostic {
  const expression = instance.resource.block.body.attributes.get("tags")?.value;
  if (!expression) {
    return problem('A coder_workspace_tags block has no "tags"', "The tags attribute is required.");
  }
  const pairs: (readonly [v.Value | undefined, v.Value | undefined])[] = [];
  if (expression.kind === "object") {
    // One by one: a tag that cannot be resolved does not spoil the others.
    for (const { key, value } of expression.items) {
      pairs.push([attempt(key, instance.scope), attempt(value, instance.scope)]);
    }
  } else {
    const value = attempt(expression, instance.scope);
    if (!(value?.content instanceof Map)) {
      const got = value ? typeName(value.type) : "an unresolved value";
      return problem(
        'The "tags" attribute has the wrong type',
        `An object is required, not ${JSON.stringify(got)}.`,
      );
    }
    for (const [key, item] of v.entries(value)) pairs.push([v.str(key), item]);
  }
  const tags: PreviewTag[] = [];
  for (const [key, value] of pairs) {
    const name = key ? valueState(key) : undefined;
    if (name?.kind !== "text" || name.type.kind !== "string") {
      return problem("A tag's key has the wrong type", "Keys of tags must be texts.");
    }
    const tag = readTag(name.text, value);
    if (tag) tags.push(tag);
  }
  tags.sort((a, b) => (a.key.value < b.key.value ? -1 : 1));
  const valid = tags
    .filter(({ value }) => value.valid)
    .map(({ key, value }) => [key.value, value.value] as const);
  return { tags, valid: Object.fromEntries(valid) };
}

function readTag(name: string, value: v.Value | undefined): PreviewTag | undefined {
  const state = value ? valueState(value) : undefined;
  const key = { value: name, valid: true };
  if (state?.kind === "null") return undefined;
  if (state?.kind === "text") {
    return { key, value: { value: state.text, valid: true }, value_diagnostics: [] };
  }
  const got = state?.kind === "other" ? typeName(state.type) : "an unresolved value";
  const wrong = problem(
    `The value of tag ${JSON.stringify(name)} has the wrong type`,
    `A text is required, not ${got}.`,
  );
  return { key, value: { value: "", valid: false }, value_diagnostics: [wrong] };
}

export function readPreset(instance: ResourceInstance): PreviewPreset {
  const read = reader(instance.resource.block.body, instance.scope);
  const named = readName(instance, read);
  const given = attempt(read.body.attributes.get("parameters")?.value, instance.scope);
  const parameters: [string, string][] = [];
  for (const [name, value] of given ? v.entries(given) : []) {
    const state = valueState(value);
    parameters.push([name, state.kind === "text" ? state.text : ""]);
  }
  const [prebuilds] = read.blocks("prebuilds");
  return {
    name: "name" in named ? named.name : "",
    parameters: Object.fromEntries(parameters),
    default: read.flag("default"),
    ...(prebuilds ? { prebuilds: { instances: Math.trunc(prebuilds.number("instances") ?? 0) } } : {}),
    diagnostics: "name" in named ? [] : [named],
  };
}

/** Variables of the root, by name, each with what is wrong with its declaration. */
export function readVariables(root: ModuleConfig, scope: Scope): PreviewVariable[] {
  return [...root.variables.values()]
    .map((variable) => {
      const read = reader(variable.block.body, scope);
      const diagnostics: PreviewDiagnostic[] = [];
      try {
        const constraint = variable.type
          ? readConstraint(variable.type, (item) => evaluate(item, scope))
          : undefined;
        const fallback = constraint ? attempt(variable.default, scope) : undefined;
        if (constraint && fallback) applyConstraint(fallback, constraint);
      } catch (error) {
        if (!(error instanceof HclError || error instanceof v.ValueError)) throw error;
        diagnostics.push(
          problem(`The variable ${JSON.stringify(variable.name)} cannot be used`, error.message),
        );
      }
      return {
        name: variable.name,
        description: read.text("description"),
        nullable: read.flag("nullable"),
        sensitive: variable.sensitive,
        diagnostics,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
