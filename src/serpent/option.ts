/**
 * An option is declared once: flag, variable, YAML key, default, group. Its value is read with `values.get(option)`,
 * so an option's object is its name in code, and parents' options need no plumbing.
 */
import type { ValueType } from "./values.ts";

export interface Group {
  readonly name: string;
  readonly yaml?: string;
  readonly description?: string;
  readonly parent?: Group;
}

export interface OptionSpec<T> {
  /** Defaults to the flag. */
  readonly name?: string;
  readonly flag?: string;
  readonly shorthand?: string;
  readonly env?: string;
  readonly yaml?: string;
  readonly description?: string;
  /** Text form; parsed like any other source. */
  readonly default?: string;
  readonly group?: Group;
  readonly hidden?: true;
  readonly required?: true;
  /** This option is an old spelling of that one: both share a value, and using this one warns. */
  readonly useInstead?: readonly Option<T>[];
  /** Marks for the deployment config: a secret value is masked when shown. */
  readonly secret?: true;
}

export interface Option<T> extends OptionSpec<T> {
  readonly type: ValueType<T>;
}

/** Options of any type, where only text and source matter. */
// oxlint-disable-next-line typescript/no-explicit-any -- a list of options of many types; values are read through `get`, which is typed
export type AnyOption = Option<any>;

export function option<T>(type: ValueType<T>, spec: OptionSpec<T>): Option<T> {
  return { ...spec, type };
}

export type Source = "" | "flag" | "env" | "yaml" | "default";

export const optionName = (option: AnyOption): string =>
  option.name ?? option.flag ?? option.env ?? option.yaml ?? "";

export const groupName = (group: Group): string =>
  group.parent ? `${groupName(group.parent)} / ${group.name}` : group.name;

/** Full YAML key: keys of the groups and the own key, joined by dots. */
export function yamlKey(option: AnyOption): string | undefined {
  if (option.yaml === undefined) return undefined;
  const keys = [option.yaml];
  for (let group = option.group; group; group = group.parent) if (group.yaml) keys.unshift(group.yaml);
  return keys.join(".");
}
