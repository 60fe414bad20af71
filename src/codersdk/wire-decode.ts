/** JSON → values, as Go reads it: unknown keys are ignored, missing ones are zero, keys match whatever their case. */
import { type Infer, type Schema, zeroTime, zeroUuid } from "./wire.ts";
import { parseUuid } from "./uuid.ts";
import { isEmpty } from "./wire-encode.ts";
import { shapeOf } from "./wire-shape.ts";

/** The JSON does not fit the schema; the message names the path and what was received. */
export class WireError extends Error {
  override readonly name = "WireError";
}

export interface DecodeOptions {
  /** Clients set it: values of enums that this version does not know pass as they are. */
  readonly lenient?: boolean;
}

/** An enum's value that is none of its names, zero value included; the validator turns it into a failing field. */
export class BadEnum {
  readonly received: string;
  constructor(received: string) {
    this.received = received;
  }
}

type Decoder = (value: unknown, path: string, options: DecodeOptions) => unknown;

const compiled = new WeakMap<Schema, Decoder>();

/**
 * The value of parsed JSON. Enum fields with a wrong name hold a `BadEnum` unless `lenient`: run `validate` on the
 * result before trusting its type.
 */
export function decode<S extends Schema>(schema: S, value: unknown, options: DecodeOptions = {}): Infer<S> {
  // The decoder is compiled from the schema, which is where the type comes from too.
  return decoderOf(schema)(value, "", options) as Infer<S>;
}

function decoderOf(schema: Schema): Decoder {
  let found = compiled.get(schema);
  if (found === undefined) {
    found = compile(schema);
    compiled.set(schema, found);
  }
  return found;
}

function wrong(what: string, value: unknown, path: string): WireError {
  const received = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return new WireError(`${path === "" ? "body" : path.slice(1)} must be ${what}: received ${received}`);
}

const timeForm = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** RFC 3339; undefined if it is not. */
export function parseTime(text: string): Date | undefined {
  if (!timeForm.test(text)) return undefined;
  const time = new Date(text.toUpperCase());
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function decodeUuid(value: unknown, path: string): unknown {
  if (value == null) return zeroUuid;
  const parsed = typeof value === "string" ? parseUuid(value) : undefined;
  if (parsed === undefined) throw wrong("a uuid", value, path);
  return parsed;
}

function decodeTime(value: unknown, path: string): unknown {
  if (value == null) return zeroTime;
  const parsed = typeof value === "string" ? parseTime(value) : undefined;
  if (parsed === undefined) throw wrong("a time of RFC 3339", value, path);
  return parsed;
}

const isByte = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;

function decodeBytes(value: unknown, path: string): unknown {
  if (value == null) return new Uint8Array();
  try {
    if (typeof value === "string") return Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
    // Go takes a list of its bytes, too.
    if (Array.isArray(value) && value.every(isByte)) return Uint8Array.from(value);
  } catch {
    // falls through to the one error
  }
  throw wrong("base64", value, path);
}

function plain(type: "string" | "boolean" | "number", zero: unknown, what: string): Decoder {
  return (value, path) => {
    if (value == null) return zero;
    if (typeof value !== type) throw wrong(what, value, path);
    return value;
  };
}

function integer(value: unknown, path: string): unknown {
  if (value == null) return 0;
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrong("an integer", value, path);
  return value;
}

function compile(schema: Schema): Decoder {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case "string":
      return plain("string", "", "a string");
    case "bool":
      return plain("boolean", false, "a boolean");
    case "float":
      return plain("number", 0, "a number");
    case "int":
    case "durationNs":
      return integer;
    case "uuid":
      return decodeUuid;
    case "time":
      return decodeTime;
    case "bytes":
      return decodeBytes;
    case "json":
      return (value) => value ?? null;
    case "enum": {
      const names = new Set(shape.values);
      return (value, path, options) => {
        if (value != null && typeof value !== "string") throw wrong("a string", value, path);
        const name = value ?? "";
        return names.has(name) || options.lenient ? name : new BadEnum(name);
      };
    }
    case "list":
    case "nullList":
      return listDecoder(shape.item);
    case "map":
      return mapDecoder(shape.item);
    case "nullable": {
      const inner = lazyDecoder(shape.inner);
      return (value, path, options) => (value == null ? null : inner(value, path, options));
    }
    case "ptr": {
      const inner = lazyDecoder(shape.inner);
      return (value, path, options) => (value == null ? undefined : inner(value, path, options));
    }
    case "omit": {
      const inner = lazyDecoder(shape.inner);
      const isEnum = shapeOf(shape.inner).kind === "enum";
      return (value, path, options) => {
        if (value == null || (isEnum && value === "")) return undefined;
        const decoded = inner(value, path, options);
        return isEmpty(decoded) ? undefined : decoded;
      };
    }
    case "struct":
      return structDecoder(shape.fields);
    case "lazy":
      return lazyDecoder(shape);
  }
}

function lazyDecoder(schema: Schema | { readonly get: () => Schema }): Decoder {
  let made: Decoder | undefined;
  return (value, path, options) => {
    made ??= decoderOf("get" in schema ? schema.get() : schema);
    return made(value, path, options);
  };
}

function listDecoder(item: Schema): Decoder {
  const inner = lazyDecoder(item);
  return (value, path, options) => {
    if (value == null) return [];
    if (!Array.isArray(value)) throw wrong("a list", value, path);
    return value.map((entry, at) => inner(entry, `${path}.${at}`, options));
  };
}

function mapDecoder(item: Schema): Decoder {
  const inner = lazyDecoder(item);
  return (value, path, options) => {
    if (value == null) return {};
    if (typeof value !== "object" || Array.isArray(value)) throw wrong("an object", value, path);
    const out: Record<string, unknown> = Object.create(null);
    for (const [key, entry] of Object.entries(value)) out[key] = inner(entry, `${path}.${key}`, options);
    return out;
  };
}

function structDecoder(fields: Readonly<Record<string, Schema>>): Decoder {
  const all = Object.entries(fields).map(([name, field]) => ({ name, field: lazyDecoder(field) }));
  const byLower = new Map(all.map(({ name }) => [name.toLowerCase(), name]));
  return (value, path, options) => {
    if (value != null && (typeof value !== "object" || Array.isArray(value))) {
      throw wrong("an object", value, path);
    }
    const given = new Map<string, unknown>();
    for (const [key, entry] of Object.entries(value ?? {})) {
      const name = byLower.get(key.toLowerCase());
      // An exact match wins over one that differs in case, wherever it stands.
      if (name !== undefined && (key === name || !given.has(name))) given.set(name, entry);
    }
    const out: Record<string, unknown> = {};
    for (const { name, field } of all) {
      const decoded = field(given.get(name), `${path}.${name}`, options);
      if (decoded !== undefined) out[name] = decoded;
    }
    return out;
  };
}
