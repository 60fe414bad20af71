/** Where a value comes from: flag > environment > YAML > default. The winning source is kept for each option. */
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { type AnyOption, type Option, optionName, type Source, yamlKey } from "./option.ts";

/** A mistake of the person who typed the command. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Entry {
  value: unknown;
  source: Source;
}

export class Values {
  readonly #entries = new Map<AnyOption, Entry>();
  readonly warnings: string[] = [];

  get<T>(option: Option<T>): T {
    const entry = this.#entries.get(option);
    // The entry was made by this option's own type.
    return (entry === undefined || entry.source === "" ? option.type.zero : entry.value) as T;
  }

  source(option: AnyOption): Source {
    return this.#entries.get(option)?.source ?? "";
  }

  /** Whether a person chose the value (by flag, variable or file). */
  isSet(option: AnyOption): boolean {
    return !["", "default"].includes(this.source(option));
  }

  options(): AnyOption[] {
    return [...this.#entries.keys()];
  }

  /** Sets from text; throws what the type's parser throws. */
  set(option: AnyOption, text: string, source: Source): void {
    const entry = this.#entries.get(option);
    const previous: unknown = entry?.source === source ? entry.value : undefined;
    this.#entries.set(option, { value: option.type.parse(text, previous), source });
  }

  declare(option: AnyOption): void {
    if (!this.#entries.has(option)) this.#entries.set(option, { value: option.type.zero, source: "" });
  }

  /** Gives the best source among an option and its old spellings to all of them. */
  share(options: readonly AnyOption[]): void {
    const rank: Record<Source, number> = { flag: 4, env: 3, yaml: 2, default: 1, "": 0 };
    for (const old of options) {
      if (!old.useInstead || old.useInstead.length !== 1) continue;
      const target = old.useInstead[0];
      if (!target) continue;
      const [mine, theirs] = [this.#entries.get(old), this.#entries.get(target)];
      if (!mine) continue;
      if (rank[mine.source] > rank[theirs?.source ?? ""]) this.#entries.set(target, mine);
      else if (theirs) this.#entries.set(old, theirs);
    }
  }
}

export interface ResolveInput {
  readonly options: readonly AnyOption[];
  readonly env: NodeJS.ProcessEnv;
  /** Values given by flags, in order: the parser (flags.ts) made them. */
  readonly flags: readonly { option: AnyOption; text: string }[];
  readonly help?: boolean;
}

export function resolve({ options, env, flags, help }: ResolveInput): Values {
  const values = new Values();
  const problems: string[] = [];
  const attempt = (what: string, run: () => void): void => {
    try {
      run();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const option of options) values.declare(option);
  for (const option of options) {
    const name = option.env;
    if (!name) continue;
    // Homebrew strips the environment but for its own prefix.
    const text = env[name] ?? env[`HOMEBREW_${name}`];
    if (text === undefined || (text === "" && option.type.noEmpty)) continue;
    attempt(name, () => values.set(option, text, "env"));
  }
  for (const { option, text } of flags) attempt(`--${option.flag}`, () => values.set(option, text, "flag"));
  applyYaml(values, options, attempt);
  warnDeprecated(values, options);
  values.share(options);
  for (const option of options) {
    const text = option.default;
    if (text === undefined || values.source(option) !== "") continue;
    attempt(`default of ${optionName(option)}`, () => values.set(option, text, "default"));
  }
  values.share(options);
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  const missing = options.filter((option) => option.required && values.source(option) === "").map(optionName);
  if (missing.length > 0 && !help) {
    throw new UsageError(`Missing values for the required flags: ${missing.join(", ")}`);
  }
  return values;
}

type Attempt = (what: string, run: () => void) => void;

function applyYaml(values: Values, options: readonly AnyOption[], attempt: Attempt): void {
  for (const option of options) {
    if (option.type.name !== "yaml-config-path") continue;
    const path = String(values.get(option));
    if (path === "") continue;
    attempt(path, () => applyYamlText(values, options, readFileSync(path, "utf8"), attempt));
  }
}

/** Values that have a source already keep it; a key that no option has is an error, all of them named. */
export function applyYamlText(
  values: Values,
  options: readonly AnyOption[],
  text: string,
  attempt: Attempt,
): void {
  const known = new Map(
    options.flatMap((option) => (yamlKey(option) ? [[yamlKey(option), option] as const] : [])),
  );
  const unknown: string[] = [];
  const visit = (node: unknown, path: string): void => {
    const option = known.get(path);
    if (option) {
      if (values.source(option) === "" && node !== null && node !== undefined) {
        attempt(path, () => setYaml(values, option, node));
      }
    } else if (node !== null && typeof node === "object" && !Array.isArray(node)) {
      for (const [key, value] of Object.entries(node)) visit(value, path === "" ? key : `${path}.${key}`);
    } else if (path !== "") {
      unknown.push(path);
    }
  };
  visit(parseYaml(text, { maxAliasCount: 100 }), "");
  if (unknown.length > 0) {
    throw new UsageError(unknown.map((key) => `unknown option ${JSON.stringify(key)}`).join(", "));
  }
}

function setYaml(values: Values, option: AnyOption, node: unknown): void {
  if (Array.isArray(node)) {
    values.set(option, "", "yaml");
    for (const item of node) values.set(option, option.type.format([String(item)]), "yaml");
  } else {
    values.set(option, typeof node === "string" ? node : JSON.stringify(node), "yaml");
  }
}

function warnDeprecated(values: Values, options: readonly AnyOption[]): void {
  for (const option of options) {
    const source = values.source(option);
    if (!option.useInstead || source === "") continue;
    const say = (one: AnyOption): string =>
      source === "flag"
        ? `--${one.flag}`
        : source === "env"
          ? (one.env ?? optionName(one))
          : (yamlKey(one) ?? "");
    const instead = option.useInstead.map((one) => `\`${say(one)}\``).join(" and ");
    values.warnings.push(`\`${say(option)}\` is deprecated, please use ${instead} instead.`);
  }
}
