/**
 * Which value each parameter of a build gets: flags, a file, another workspace, the last build, a preset, answers.
 * `resolveParameters` is pure but for the questions it asks through `ask`.
 */
import type { TemplateVersionParameter } from "#codersdk/templateversions.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { UserError } from "./errors.ts";

export interface Value {
  readonly name: string;
  readonly value: string;
}

export const parameterOptions = {
  parameter: option(types.strings, {
    flag: "parameter",
    env: "CODER_RICH_PARAMETER",
    description: "A parameter's value, as name=value. Can be given several times.",
  }),
  file: option(types.string, {
    flag: "rich-parameter-file",
    env: "CODER_RICH_PARAMETER_FILE",
    description: "YAML file that maps parameters to values.",
  }),
  ephemeral: option(types.strings, {
    flag: "ephemeral-parameter",
    env: "CODER_EPHEMERAL_PARAMETER",
    description: "A value for this build only, as name=value. Can be given several times.",
  }),
  useDefaults: option(types.bool, {
    flag: "use-parameter-defaults",
    env: "CODER_WORKSPACE_USE_PARAMETER_DEFAULTS",
    description: "Take the template's default for every parameter without a value.",
  }),
  alwaysPrompt: option(types.bool, {
    flag: "always-prompt",
    description: "Ask for every parameter that can change.",
  }),
} as const;

export function parsePairs(pairs: readonly string[]): Value[] {
  return pairs.map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw new UserError(`a parameter is given as name=value: received ${JSON.stringify(pair)}`);
    return { name: pair.slice(0, at), value: pair.slice(at + 1) };
  });
}

/** A YAML map of texts, numbers, truths and lists; lists become JSON. */
export async function readParameterFile(text: string, path: string): Promise<Value[]> {
  const { parse } = await import("yaml");
  const parsed: unknown = parse(text, { maxAliasCount: 100 });
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new UserError(`${path} must be a YAML map of parameter names to values`);
  }
  return Object.entries(parsed).map(([name, value]: [string, unknown]) => ({
    name,
    value: typeof value === "string" ? value : JSON.stringify(value),
  }));
}

export interface ParameterFacts {
  readonly parameters: readonly TemplateVersionParameter[];
  /** From flags and files; must name parameters that exist. */
  readonly given: readonly Value[];
  readonly ephemeral: readonly Value[];
  /** Values of the last build; empty for a new workspace. */
  readonly last: readonly Value[];
  readonly isNew: boolean;
  readonly useDefaults: boolean;
  readonly alwaysPrompt: boolean;
}

export type Ask = (parameter: TemplateVersionParameter, suggested: string) => Promise<string>;

export async function resolveParameters(facts: ParameterFacts, ask: Ask): Promise<Value[]> {
  const known = new Map(facts.parameters.map((parameter) => [parameter.name, parameter]));
  const given = new Map([...facts.given, ...facts.ephemeral].map(({ name, value }) => [name, value]));
  for (const name of given.keys()) {
    if (!known.has(name)) throw unknownParameter(name, [...known.keys()]);
  }
  const last = new Map(facts.last.map(({ name, value }) => [name, value]));
  const out: Value[] = [];
  for (const parameter of facts.parameters) {
    const value = await valueOf(parameter, { given, last, facts, ask });
    if (value === undefined) continue;
    checkValue(parameter, value);
    out.push({ name: parameter.name, value });
  }
  return out;
}

interface Sources {
  readonly given: ReadonlyMap<string, string>;
  readonly last: ReadonlyMap<string, string>;
  readonly facts: ParameterFacts;
  readonly ask: Ask;
}

async function valueOf(parameter: TemplateVersionParameter, sources: Sources): Promise<string | undefined> {
  const { given, last, facts, ask } = sources;
  const { name } = parameter;
  const chosen = given.get(name);
  const before = last.get(name);
  if (chosen !== undefined) {
    if (!parameter.mutable && before !== undefined && before !== chosen) {
      throw new UserError(`parameter ${JSON.stringify(name)} is immutable and cannot be updated`);
    }
    return chosen;
  }
  if (parameter.ephemeral) return undefined;
  const fits = before !== undefined && isOption(parameter, before);
  if (fits && (!parameter.mutable || !facts.alwaysPrompt)) return undefined;
  const needed = parameter.required || (before !== undefined && !fits);
  if (!facts.alwaysPrompt && !needed && (!facts.isNew || facts.useDefaults)) return undefined;
  if (facts.useDefaults && !parameter.required) return parameter.default_value;
  return await ask(parameter, before !== undefined && fits ? before : parameter.default_value);
}

const isOption = (parameter: TemplateVersionParameter, value: string): boolean =>
  parameter.options.length === 0 || parameter.options.some((one) => one.value === value);

/** The template's own rules, told before anything is built. */
export function checkValue(parameter: TemplateVersionParameter, value: string): void {
  const fail = (why: string): never => {
    throw new UserError(
      parameter.validation_error ||
        `parameter ${JSON.stringify(parameter.name)}: ${why}: received ${JSON.stringify(value)}`,
    );
  };
  if (parameter.type !== "list(string)" && !isOption(parameter, value)) {
    fail(`must be one of ${parameter.options.map((one) => one.value).join(", ")}`);
  }
  if (parameter.type === "bool" && value !== "true" && value !== "false") fail("must be true or false");
  if (parameter.type === "number") {
    const number = Number(value);
    if (value.trim() === "" || Number.isNaN(number)) fail("must be a number");
    if (parameter.validation_min !== undefined && number < parameter.validation_min) {
      fail(`must be at least ${parameter.validation_min}`);
    }
    if (parameter.validation_max !== undefined && number > parameter.validation_max) {
      fail(`must be at most ${parameter.validation_max}`);
    }
  }
}

function unknownParameter(name: string, known: readonly string[]): UserError {
  const near = known.filter((other) => distance(name, other) <= Math.floor(name.length / 2));
  const hint = near.length > 0 ? ` Did you mean: ${near.join(", ")}` : "";
  return new UserError(`parameter ${JSON.stringify(name)} is not present in the template.${hint}`);
}

/** Edit distance (Levenshtein). */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + cost));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
