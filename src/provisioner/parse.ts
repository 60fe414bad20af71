/**
 * What a template says about itself without being run: its variables and its workspace tags, as they stand in the
 * files of the root module. Both engines answer `parse` with it.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { TemplateVariableSchema, type TemplateVariable } from "#rpc/gen/provisionersdk_pb.js";
import { encodeJson } from "#preview/cty/json.ts";
import type { Value } from "#preview/cty/value.ts";
import { sourceText, type Attribute, type Block, type Body } from "#preview/hcl/ast.ts";
import { evaluate } from "#preview/hcl/evaluate.ts";
import { parseFile } from "#preview/hcl/parser.ts";
import { Budget, type Scope } from "#preview/hcl/scope.ts";
import { HclError, type Diagnostic } from "#preview/hcl/source.ts";
import { jsonVariables } from "./parse-json.ts";

export interface ParsedTemplate {
  /** "" where all is well; else the rest is empty. */
  readonly error: string;
  readonly templateVariables: TemplateVariable[];
  /** Key → the expression's source text. */
  readonly workspaceTags: Record<string, string>;
}

/** A variable block of one file, not yet merged with what overrides it. */
export interface VariableFacts {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly description?: string;
  readonly type?: string;
  /** Go's JSON, or the text itself of a string. Null where it is null or absent. */
  readonly default?: string | null;
  readonly sensitive?: boolean;
}

/** A file larger than this is refused. */
const maxFileBytes = 8 << 20;

/** Nothing can be referred to: only constants are read. */
const constants: () => Scope = () => ({
  lookup: () => undefined,
  function: () => undefined,
  budget: new Budget(100_000),
});

function constant({ value }: Attribute): Value {
  return evaluate(value, constants());
}

/** The text of a default as the protocol has it: strings as they are, other values as JSON. */
function defaultText(value: Value): string | null {
  const { content } = value;
  if (content === null) return null;
  return typeof content === "string" ? content : encodeJson(value);
}

function constantString(attribute: Attribute | undefined): string | undefined {
  const content = attribute && constant(attribute).content;
  return typeof content === "string" ? content : undefined;
}

function variableFacts(block: Block, file: string): VariableFacts {
  const { attributes } = block.body;
  const fallback = attributes.get("default");
  const type = attributes.get("type");
  const sensitive = attributes.get("sensitive");
  const description = constantString(attributes.get("description"));
  return {
    file,
    line: block.source.position(block.start).line,
    name: block.labels[0] ?? "",
    ...(description === undefined ? {} : { description }),
    // Old templates write the type in quotes.
    ...(type ? { type: sourceText(type.value).replace(/^"(.*)"$/s, "$1") } : {}),
    ...(fallback ? { default: defaultText(constant(fallback)) } : {}),
    ...(sensitive ? { sensitive: constant(sensitive).content === true } : {}),
  };
}

class TagsError extends Error {}

function tagsOf(bodies: readonly Body[]): Record<string, string> {
  const tags = new Map<string, string>();
  for (const block of bodies.flatMap((body) => body.blocks)) {
    if (block.type !== "data" || block.labels[0] !== "coder_workspace_tags") continue;
    const attribute = block.body.attributes.get("tags");
    if (!attribute) throw new TagsError('"tags" attribute is required by coder_workspace_tags');
    const { value } = attribute;
    if (value.kind !== "object") throw new TagsError('"tags" attribute is expected to be a key-value map');
    for (const item of value.items) {
      const key = sourceText(item.key)
        .trim()
        .replace(/^"(.*)"$/s, "$1");
      if (tags.has(key)) {
        throw new TagsError(`workspace tag ${JSON.stringify(key)} is defined multiple times`);
      }
      tags.set(key, sourceText(item.value));
    }
  }
  return Object.fromEntries(tags);
}

/** Breaks at blanks so that no line is longer than `width`, where that is possible. */
function wrapped(text: string, width: number): string {
  return text
    .split("\n")
    .map((line) => {
      let length = 0;
      return line
        .split(" ")
        .map((word, i) => {
          const breaks = i > 0 && length + 1 + word.length > width;
          length = breaks || i === 0 ? word.length : length + 1 + word.length;
          return i === 0 ? word : `${breaks ? "\n" : " "}${word}`;
        })
        .join("");
    })
    .join("\n");
}

function loadError(diagnostics: readonly Diagnostic[]): string {
  const texts = diagnostics.map(({ summary, detail, range }) => {
    const place = range ? ` (${range.file}:${range.start.line})` : "";
    return `\nERROR: ${summary}${place}${detail === "" ? "" : `\n> ${wrapped(detail, 78)}`}`;
  });
  return `load module: ${texts.join("")}`;
}

function isOverride(file: string): boolean {
  const base = file.replace(/\.tf(?:\.json)?$/, "");
  return base === "override" || base.endsWith("_override");
}

/** Overriding files change what the others have said; what only they name is left to Terraform to refuse. */
function merge(facts: readonly VariableFacts[]): VariableFacts[] {
  const primary = facts.filter(({ file }) => !isOverride(file));
  return primary.map((one) => {
    const changes = facts.filter(({ file, name }) => isOverride(file) && name === one.name);
    return changes.reduce(
      (merged, change) => ({ ...merged, ...change, file: one.file, line: one.line }),
      one,
    );
  });
}

function byPlace(one: VariableFacts, other: VariableFacts): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line;
}

function templateVariable(facts: VariableFacts): TemplateVariable {
  const { name, description = "", type = "", sensitive = false, default: fallback } = facts;
  return create(TemplateVariableSchema, {
    name,
    description,
    type,
    defaultValue: fallback ?? "",
    required: fallback === undefined || fallback === null,
    sensitive,
  });
}

async function readTemplateFile(dir: string, file: string): Promise<string> {
  const path = join(dir, file);
  const { size } = await stat(path);
  if (size > maxFileBytes) {
    throw new HclError("File is too large", `${file} has ${size} bytes, at most ${maxFileBytes} are read.`);
  }
  return readFile(path, "utf8");
}

/** Reads the root module in `dir`. Never throws for what is wrong with the template. */
export async function parseTemplate(dir: string): Promise<ParsedTemplate> {
  const nothing = { templateVariables: [], workspaceTags: {} };
  const names = (await readdir(dir, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.tf(?:\.json)?$/.test(entry.name) && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
  const facts: VariableFacts[] = [];
  const bodies: Body[] = [];
  const problems: Diagnostic[] = [];
  for (const name of names) {
    try {
      const text = await readTemplateFile(dir, name);
      if (name.endsWith(".json")) {
        facts.push(...jsonVariables(name, text));
        continue;
      }
      const { body, diagnostics } = parseFile(name, text);
      problems.push(...diagnostics);
      if (!body) continue;
      bodies.push(body);
      const blocks = body.blocks.filter(({ type, labels }) => type === "variable" && labels.length === 1);
      facts.push(...blocks.map((block) => variableFacts(block, name)));
    } catch (error) {
      if (!(error instanceof HclError)) throw error;
      problems.push(error.diagnostic);
    }
  }
  if (problems.length > 0) return { ...nothing, error: loadError(problems) };
  try {
    const templateVariables = merge(facts).sort(byPlace).map(templateVariable);
    return { error: "", templateVariables, workspaceTags: tagsOf(bodies) };
  } catch (error) {
    if (!(error instanceof TagsError)) throw error;
    return { ...nothing, error: `can't load workspace tags: ${error.message}` };
  }
}
