/** Reading JSON from Docker: what is missing or of another type reads as nothing. */

export function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** The value along names; undefined where one is missing. */
export function at(json: unknown, ...names: readonly string[]): unknown {
  let value = json;
  for (const name of names) value = isRecord(value) ? value[name] : undefined;
  return value;
}

export function textAt(json: unknown, ...names: readonly string[]): string {
  const value = at(json, ...names);
  return typeof value === "string" ? value : "";
}

export function numberAt(json: unknown, ...names: readonly string[]): number {
  const value = at(json, ...names);
  return typeof value === "number" ? value : 0;
}

export function listAt(json: unknown, ...names: readonly string[]): readonly unknown[] {
  const value = at(json, ...names);
  return Array.isArray(value) ? value : [];
}

export const textsAt = (json: unknown, ...names: readonly string[]): string[] =>
  listAt(json, ...names).filter((item) => typeof item === "string");

export function recordAt(json: unknown, ...names: readonly string[]): Readonly<Record<string, unknown>> {
  const value = at(json, ...names);
  return isRecord(value) ? value : {};
}
