/** What the checkers of recorded network vectors share. */

/** One recorded item; its other fields depend on the kind (spec network §23). */
export type Vector = { readonly kind: string; readonly name: string } & Readonly<Record<string, unknown>>;

/** Throws (node:assert) where production code differs from the recording. */
export type Checker = (vector: Vector) => void | Promise<void>;

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("expected an object");
  }
  return Object.fromEntries(Object.entries(value));
}

export function items(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) throw new Error("expected a list");
  return value.map(fields);
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw new Error("expected a string");
  return value;
}

export function bytes(value: unknown): Buffer {
  return Buffer.from(text(value), "hex");
}
