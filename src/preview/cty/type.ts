/** Types of HCL values. `dynamic` is the type of what nobody knows yet (and of an untyped null). */

export type Type =
  | { readonly kind: "string" | "number" | "bool" | "dynamic" }
  | { readonly kind: "list" | "set" | "map"; readonly of: Type }
  | { readonly kind: "tuple"; readonly items: readonly Type[] }
  | {
      readonly kind: "object";
      readonly attributes: ReadonlyMap<string, Type>;
      readonly optional?: ReadonlySet<string>;
    };

export const string: Type = { kind: "string" };
export const number: Type = { kind: "number" };
export const bool: Type = { kind: "bool" };
export const dynamic: Type = { kind: "dynamic" };

export const list = (of: Type): Type => ({ kind: "list", of });
export const set = (of: Type): Type => ({ kind: "set", of });
export const map = (of: Type): Type => ({ kind: "map", of });
export const tuple = (items: readonly Type[]): Type => ({ kind: "tuple", items });
export const object = (attributes: ReadonlyMap<string, Type>): Type => ({ kind: "object", attributes });

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "list":
    case "set":
    case "map":
      return b.kind === a.kind && sameType(a.of, b.of);
    case "tuple":
      return (
        b.kind === "tuple" &&
        a.items.length === b.items.length &&
        a.items.every((item, at) => {
          const other = b.items[at];
          return other !== undefined && sameType(item, other);
        })
      );
    case "object":
      if (b.kind !== "object" || a.attributes.size !== b.attributes.size) return false;
      for (const [name, type] of a.attributes) {
        const other = b.attributes.get(name);
        if (!other || !sameType(type, other)) return false;
      }
      return true;
    default:
      return a.kind === b.kind;
  }
}

export const isPrimitive = (type: Type): boolean =>
  type.kind === "string" || type.kind === "number" || type.kind === "bool";

/** How a message names a type. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return `${type.kind} of ${typeName(type.of)}`;
    case "dynamic":
      return "dynamic";
    default:
      return type.kind;
  }
}

/** Terraform's JSON notation: `"string"`, `["list","string"]`, `["object",{…}]`. */
export type TypeJson = string | readonly TypeJson[] | { readonly [name: string]: TypeJson };

export function typeToJson(type: Type): TypeJson {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return [type.kind, typeToJson(type.of)];
    case "tuple":
      return ["tuple", type.items.map(typeToJson)];
    case "object":
      return [
        "object",
        Object.fromEntries(sortedEntries(type.attributes).map(([k, v]) => [k, typeToJson(v)])),
      ];
    default:
      return type.kind;
  }
}

/** Reads that notation; throws with what it received. */
export function typeFromJson(json: unknown, depth = 0): Type {
  if (depth > 64) throw new Error("type is nested too deeply");
  if (json === "string" || json === "number" || json === "bool" || json === "dynamic") return { kind: json };
  if (Array.isArray(json)) {
    const kind: unknown = json[0];
    const inner: unknown = json[1];
    if (kind === "list" || kind === "set" || kind === "map") {
      return { kind, of: typeFromJson(inner, depth + 1) };
    }
    if (kind === "tuple" && Array.isArray(inner)) {
      return tuple(inner.map((item) => typeFromJson(item, depth + 1)));
    }
    if (kind === "object" && typeof inner === "object" && inner !== null) {
      return object(new Map(Object.entries(inner).map(([k, v]) => [k, typeFromJson(v, depth + 1)])));
    }
  }
  throw new Error(`not a type: received ${JSON.stringify(json)?.slice(0, 200)}`);
}

/** Terraform orders keys by their UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const ascii = /^[\0-\x7f]*$/;
  if (ascii.test(a) && ascii.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function sortedEntries<T>(entries: ReadonlyMap<string, T>): [string, T][] {
  return [...entries].sort((a, b) => compareText(a[0], b[0]));
}
