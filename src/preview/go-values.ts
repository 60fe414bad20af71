/** Texts as values, by the rules of Go's strconv and encoding/json, which decide what upstream accepts. */

const digits = String.raw`\d+(?:_\d+)*`;
const decimal = new RegExp(`^[+-]?(?:${digits}\\.?(?:${digits})?|\\.${digits})(?:[eE][+-]?${digits})?$`);
const hexadecimal = /^[+-]?0[xX](?:_?[0-9a-fA-F]+)*\.?(?:[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)?[pP][+-]?\d+$/;
const special = /^(?:nan|[+-]?inf(?:inity)?)$/i;

/** What strconv.ParseFloat takes. A decimal beyond the range of a double is refused, as there. */
export function isGoFloat(text: string): boolean {
  if (decimal.test(text)) return Number.isFinite(Number(text.replaceAll("_", "")));
  return special.test(text) || (hexadecimal.test(text) && /[xX]_?\.?[0-9a-fA-F]/.test(text));
}

const bools = new Set(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"]);

/** What strconv.ParseBool takes. */
export function isGoBool(text: string): boolean {
  return bools.has(text);
}

/** strconv.Atoi: a sign and digits within 64 bits. Undefined where the text is none. */
export function parseGoInt(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  // 20 digits and a sign hold every 64-bit number; leading zeros may make the text longer.
  const trimmed = text.replace(/^([+-]?)0+(?=\d)/, "$1");
  if (trimmed.length > 20) return undefined;
  const value = trimmed.startsWith("+") ? BigInt(trimmed.slice(1)) : BigInt(trimmed);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** A JSON list of strings; null reads as empty, a null element as "". Undefined where the text is none. */
export function parseStringList(text: string): string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const out: string[] = [];
  for (const item of value) {
    if (typeof item !== "string" && item !== null) return undefined;
    out.push(item ?? "");
  }
  return out;
}
