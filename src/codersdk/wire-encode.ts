/** Values → JSON text as Go writes it. A compiled encoder never emits a key that its schema does not have. */
import { type Schema, zeroTime, zeroUuid } from "./wire.ts";
import { shapeOf } from "./wire-shape.ts";

/** Undefined means: leave the key out. */
type Encoder = (value: unknown) => string | undefined;

const compiled = new WeakMap<Schema, Encoder>();

/** JSON text of `value`, which must be of the schema's type. Throws a TypeError that names the path if it is not. */
export function encode(schema: Schema, value: unknown): string {
  return encoderOf(schema)(value) ?? "null";
}

function encoderOf(schema: Schema): Encoder {
  let found = compiled.get(schema);
  if (found === undefined) {
    found = compile(schema);
    compiled.set(schema, found);
  }
  return found;
}

/** `2026-01-02T03:04:05.6Z`: trailing zeros of the fraction are cut, and an empty fraction with its dot. */
export function formatTime(time: Date): string {
  const iso = time.toISOString();
  if (iso.endsWith(".000Z")) return `${iso.slice(0, -5)}Z`;
  if (iso.endsWith("00Z")) return `${iso.slice(0, -3)}Z`;
  return iso.endsWith("0Z") ? `${iso.slice(0, -2)}Z` : iso;
}

function wrong(what: string, value: unknown): TypeError {
  return new TypeError(`must be ${what}: received ${value === null ? "null" : typeof value}`);
}

function encodeString(value: unknown): string {
  if (typeof value !== "string") throw wrong("a string", value);
  return JSON.stringify(value);
}

function encodeNumber(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong("a finite number", value);
  return String(value);
}

function encodeBytes(value: unknown): string {
  if (!(value instanceof Uint8Array)) throw wrong("bytes", value);
  let binary = "";
  for (let at = 0; at < value.length; at += 8192) {
    binary += String.fromCharCode(...value.subarray(at, at + 8192));
  }
  return `"${btoa(binary)}"`;
}

function compile(schema: Schema): Encoder {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case "string":
    case "uuid":
    case "enum":
      return encodeString;
    case "bool":
      return (value) => {
        if (typeof value !== "boolean") throw wrong("a boolean", value);
        return value ? "true" : "false";
      };
    case "int":
    case "float":
    case "durationNs":
      return encodeNumber;
    case "time":
      return (value) => {
        if (!(value instanceof Date)) throw wrong("a Date", value);
        return `"${formatTime(value)}"`;
      };
    case "bytes":
      return encodeBytes;
    case "json":
      return (value) => JSON.stringify(value);
    case "list":
    case "nullList":
      return listEncoder(shape.item, shape.kind === "nullList" ? "null" : "[]");
    case "map":
      return mapEncoder(shape.item);
    case "nullable": {
      const inner = encoderOf(shape.inner);
      return (value) => (value === null ? "null" : inner(value));
    }
    case "ptr": {
      const inner = encoderOf(shape.inner);
      return (value) => (value === undefined ? undefined : inner(value));
    }
    case "omit": {
      const inner = encoderOf(shape.inner);
      return (value) => (isEmpty(value) ? undefined : inner(value));
    }
    case "struct":
      return structEncoder(shape.fields);
    case "lazy":
      return (value) => encoderOf(shape.get())(value);
  }
}

/** What Go's `omitempty` leaves out, and, as our schemas mark it only where upstream omits them, zero times and uuids. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (value === zeroUuid) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Date) return value.getTime() === zeroTime.getTime();
  if (typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.keys(value).length === 0;
}

function listEncoder(item: Schema, empty: string): Encoder {
  const inner = encoderOf(item);
  return (value) => {
    if (!Array.isArray(value)) throw wrong("a list", value);
    if (value.length === 0) return empty;
    let out = "[";
    for (let at = 0; at < value.length; at++) {
      const text = atPath(`[${at}]`, inner, value[at]) ?? "null";
      out += at === 0 ? text : `,${text}`;
    }
    return `${out}]`;
  };
}

function mapEncoder(item: Schema): Encoder {
  const inner = encoderOf(item);
  return (value) => {
    if (typeof value !== "object" || value === null) throw wrong("a map", value);
    const parts: string[] = [];
    for (const [key, entry] of Object.entries(value)) {
      const text = atPath(`.${key}`, inner, entry);
      if (text !== undefined) parts.push(`${JSON.stringify(key)}:${text}`);
    }
    return `{${parts.join(",")}}`;
  };
}

function structEncoder(fields: Readonly<Record<string, Schema>>): Encoder {
  const all = Object.entries(fields).map(([name, field]) => ({
    name,
    path: `.${name}`,
    key: `${JSON.stringify(name)}:`,
    field: lazyEncoder(field),
  }));
  return (value) => {
    if (typeof value !== "object" || value === null) throw wrong("an object", value);
    const record = value as Readonly<Record<string, unknown>>;
    let out = "";
    for (const { name, path, key, field } of all) {
      const text = atPath(path, field, record[name]);
      if (text !== undefined) out += out === "" ? key + text : `,${key}${text}`;
    }
    return `{${out}}`;
  };
}

/** Structs may be recursive through `lazy`, so their fields compile on first use. */
function lazyEncoder(schema: Schema): Encoder {
  let made: Encoder | undefined;
  return (value) => (made ??= encoderOf(schema))(value);
}

function atPath(path: string, encoder: Encoder, value: unknown): string | undefined {
  try {
    return encoder(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(`${path}${error.message.startsWith("must") ? " " : ""}${error.message}`, {
      cause: error,
    });
  }
}
