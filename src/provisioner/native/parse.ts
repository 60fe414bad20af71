/** Template variables and workspace tags of a folder, without evaluating anything (provisioning.md §10.7). Both engines use it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeJson } from "#preview/cty/json.ts";
import type { Value } from "#preview/cty/value.ts";
import { realClock } from "#quartz/clock.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { type Expression, sourceText } from "#preview/hcl/ast.ts";
import { evaluate } from "#preview/hcl/evaluate.ts";
import { Budget } from "#preview/hcl/scope.ts";
import { type Diagnostic, HclError } from "#preview/hcl/source.ts";
import { makeFunctions } from "#preview/functions/functions.ts";
import type { ModuleConfig, VariableConfig } from "#preview/module/config.ts";
import { loadModule } from "#preview/module/load.ts";

export interface TemplateVariable {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly defaultValue: string;
  readonly required: boolean;
  readonly sensitive: boolean;
}

export interface ParsedTemplate {
  readonly templateVariables: readonly TemplateVariable[];
  /** Key → source text of the value's expression. */
  readonly workspaceTags: Readonly<Record<string, string>>;
}

export class TemplateError extends Error {
  override name = "TemplateError";
}

/** Throws `TemplateError` with the text for the job's error. */
export function parseTemplate(dir: string): ParsedTemplate {
  const root = loadModule(dir);
  const errors = root.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new TemplateError(`load module: ${errors.map(loadError).join("")}`);
  return { templateVariables: variables(root), workspaceTags: workspaceTags(root) };
}

function loadError({ summary, detail, range }: Diagnostic): string {
  const place = range ? ` (${range.file}:${range.start.line})` : "";
  return `\nERROR: ${summary}${place}\n> ${wrap(detail, 78)}`;
}

/** Breaks at blanks so that lines have at most `width` characters where words allow. */
function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

function variables(root: ModuleConfig): TemplateVariable[] {
  const place = ({ block }: VariableConfig): readonly [string, number] => [block.source.file, block.start];
  return [...root.variables.values()]
    .sort((a, b) => {
      const [fileA, startA] = place(a);
      const [fileB, startB] = place(b);
      return fileA === fileB ? startA - startB : fileA < fileB ? -1 : 1;
    })
    .map((variable) => templateVariable(root, variable));
}

function templateVariable(root: ModuleConfig, variable: VariableConfig): TemplateVariable {
  const value = variable.default ? literal(root, variable.default) : undefined;
  const description = variable.block.body.attributes.get("description")?.value;
  const text = description ? literal(root, description)?.content : "";
  return {
    name: variable.name,
    description: typeof text === "string" ? text : "",
    type: variable.type ? typeText(variable.type) : "",
    defaultValue: value === undefined || value.content === null ? "" : defaultText(value),
    required: value === undefined || value.content === null,
    sensitive: variable.sensitive,
  };
}

/** A quoted type of old templates reads as the word. */
function typeText(type: Expression): string {
  if (type.kind === "literal" && typeof type.value.content === "string") return type.value.content;
  return sourceText(type);
}

const defaultText = (value: Value): string =>
  typeof value.content === "string" ? value.content : encodeJson(value);

function literal(root: ModuleConfig, expression: Expression): Value | undefined {
  const functions = makeFunctions({
    clock: realClock,
    rand: cryptoRand,
    planTime: new Date(0),
    files: { base: root.dir, root: root.dir },
    impure: "unknown",
  });
  try {
    return evaluate(expression, {
      budget: new Budget(100_000),
      function: functions,
      lookup: () => undefined,
    });
  } catch (error) {
    if (error instanceof HclError) return undefined;
    throw error;
  }
}

function workspaceTags(root: ModuleConfig): Record<string, string> {
  const fail = (message: string): never => {
    throw new TemplateError(`can't load workspace tags: ${message}`);
  };
  const out = new Map<string, string>();
  for (const resource of root.resources.values()) {
    if (
      resource.key !== `data.coder_workspace_tags.${resource.name}` ||
      resource.block.source.file.endsWith(".json")
    ) {
      continue;
    }
    const tags = resource.block.body.attributes.get("tags")?.value;
    if (!tags) return fail('"tags" attribute is required by coder_workspace_tags');
    if (tags.kind !== "object") return fail('"tags" attribute is expected to be a key-value map');
    for (const { key, value } of tags.items) {
      const name = sourceText(key).replace(/^"|"$/g, "");
      if (out.has(name)) return fail(`workspace tag ${JSON.stringify(name)} is defined multiple times`);
      out.set(name, sourceText(value));
    }
  }
  return Object.fromEntries(out);
}

/** Root README, empty where there is none. */
export function readReadme(dir: string): string {
  try {
    return readFileSync(join(dir, "README.md"), "utf8");
  } catch {
    return "";
  }
}
