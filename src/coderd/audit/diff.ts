/** The difference of two rows, as the audit log keeps it. */
import type { Field, Resource } from "./resources.ts";

export interface Change {
  readonly old: unknown;
  readonly new: unknown;
  readonly secret: boolean;
}

export type Diff = Readonly<Record<string, Change>>;

/** Fields that differ. A missing side counts as empty values, so a new thing shows what it starts with. */
export function diff<Row extends object>(
  resource: Resource<Row>,
  before: Row | undefined,
  after: Row | undefined,
): Diff {
  const out: Record<string, Change> = {};
  const fields = Object.entries<Field<unknown>>(resource.fields);
  const rows = { before: new Map(Object.entries(before ?? {})), after: new Map(Object.entries(after ?? {})) };
  for (const [key, field] of fields) {
    if (field === "ignore") continue;
    const [raw, made] = [rows.before.get(key), rows.after.get(key)];
    const old = shown(field, raw, made);
    const now = shown(field, made, raw);
    if (JSON.stringify(old) === JSON.stringify(now)) continue;
    const secret = field === "secret";
    const name = typeof field === "string" ? snakeCase(key) : field.as;
    out[name] = secret ? { old: "", new: "", secret } : { old, new: now, secret };
  }
  return out;
}

/** The value on the wire; a missing one is the empty value of the other's type. */
function shown(field: Field<unknown>, value: unknown, other: unknown): unknown {
  const one = value === undefined ? emptyLike(other) : value;
  if (one === null || one === undefined) return null;
  if (typeof field === "object" && field.value && value !== undefined) return field.value(one);
  return one;
}

function emptyLike(value: unknown): unknown {
  switch (typeof value) {
    case "string":
      return "";
    case "number":
      return 0;
    case "boolean":
      return false;
    default:
      return null;
  }
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
