/** JSON as Go's encoder writes it: compact, keys sorted in byte order, HTML's characters escaped. */

const escapes = new Map([
  ["<", "\\u003c"],
  [">", "\\u003e"],
  ["&", "\\u0026"],
  ["\u2028", "\\u2028"],
  ["\u2029", "\\u2029"],
]);

function goString(value: string): string {
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, (found) => escapes.get(found) ?? found);
}

/** `value` must come from JSON: null, booleans, finite numbers, strings, lists, objects. Undefined members are skipped. */
export function goJson(value: unknown): string {
  if (typeof value === "string") return goString(value);
  if (Array.isArray(value)) return `[${value.map((item: unknown) => goJson(item ?? null)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      .map(([key, member]) => `${goString(key)}:${goJson(member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}
