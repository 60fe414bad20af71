/**
 * Wire types with Go's JSON rules. Every schema of the API is made of these helpers and nothing else: they are Zod
 * schemas (types by `Infer`, JSON Schema by `z.toJSONSchema`), marked with how Go writes and reads them. wire-decode.ts
 * and wire-encode.ts compile them.
 *
 *   helper            in code               on the wire                          missing or null in a request
 *   string()          string                string                               ""
 *   bool()            boolean               boolean                              false
 *   int(), float()    number                number                               0
 *   durationNs()      number (ns)           integer                              0
 *   uuid()            string, lower case    string                               zero uuid
 *   time()            Date                  RFC 3339, UTC, fraction trimmed      0001-01-01T00:00:00Z
 *   bytes()           Uint8Array            base64                               empty
 *   enums(…)          union of its names    string                               400 (tag oneof)
 *   list(x)           readonly x[]          array, `[]` when empty               []
 *   nullList(x)       readonly x[]          array, `null` when empty             []
 *   map(x)            Record<string, x>     object, `{}` when empty              {}
 *   nullable(x)       x | null              x or `null`, always present          null
 *   omit(x)           x | undefined         absent when zero or empty            undefined, also for the zero value
 *   ptr(x)            x | undefined         absent when undefined (Go pointer)   undefined
 *   struct(n, {…})    object                object, keys in declaration order    every field its own zero
 *   json()            unknown               any JSON                             null
 */
import { z } from "zod";

export type WireKind =
  | "int"
  | "float"
  | "durationNs"
  | "uuid"
  | "time"
  | "bytes"
  | "list"
  | "nullList"
  | "map"
  | "json";

/** What Zod does not say about a schema. */
export interface WireMeta {
  readonly kind?: WireKind;
  /** Name in OpenAPI. */
  readonly id?: string;
  /** Request checks in Go's notation, such as `required,username`. Other fields are named as on the wire. */
  readonly tags?: string;
  readonly absence?: "omit" | "ptr";
}

export const wireMeta = z.registry<WireMeta>();

export type Schema = z.ZodType;
export type Infer<S extends Schema> = z.infer<S>;

export const zeroUuid = "00000000-0000-0000-0000-000000000000";
/** Go's zero time, for fields that cannot be null. */
export const zeroTime: Date = new Date(-62_135_596_800_000);

function mark<S extends Schema>(schema: S, meta: WireMeta): S {
  wireMeta.add(schema, meta);
  return schema;
}

const withTags = (tags: string | undefined): WireMeta => (tags === undefined ? {} : { tags });

export const string = (tags?: string) => mark(z.string(), withTags(tags));
export const bool = (tags?: string) => mark(z.boolean(), withTags(tags));
export const int = (tags?: string) => mark(z.number(), { kind: "int", ...withTags(tags) });
export const float = (tags?: string) => mark(z.number(), { kind: "float", ...withTags(tags) });
export const durationNs = (tags?: string) => mark(z.number(), { kind: "durationNs", ...withTags(tags) });
export const uuid = (tags?: string) => mark(z.string(), { kind: "uuid", ...withTags(tags) });
export const time = (tags?: string) => mark(z.date(), { kind: "time", ...withTags(tags) });
export const bytes = (tags?: string) => mark(z.instanceof(Uint8Array), { kind: "bytes", ...withTags(tags) });
export const json = () => mark(z.unknown(), { kind: "json" });

/** A Go string type with known values. Servers refuse others (tag `oneof`); clients let unknown ones pass. */
export function enums<const V extends readonly [string, ...string[]]>(...values: V) {
  return mark(z.enum(values), {});
}

export function list<S extends Schema>(item: S, tags?: string) {
  return mark(z.array(item).readonly(), { kind: "list", ...withTags(tags) });
}

export function nullList<S extends Schema>(item: S, tags?: string) {
  return mark(z.array(item).readonly(), { kind: "nullList", ...withTags(tags) });
}

export function map<S extends Schema>(value: S) {
  return mark(z.record(z.string(), value), { kind: "map" });
}

export function nullable<S extends Schema>(inner: S, tags?: string) {
  return mark(inner.nullable(), withTags(tags));
}

export function omit<S extends Schema>(inner: S, tags?: string) {
  return mark(inner.optional(), { absence: "omit", ...withTags(tags) });
}

export function ptr<S extends Schema>(inner: S, tags?: string) {
  return mark(inner.optional(), { absence: "ptr", ...withTags(tags) });
}

/** `name` is the schema's name in OpenAPI; unique. */
export function struct<const F extends Readonly<Record<string, Schema>>>(name: string, fields: F) {
  return mark(z.object(fields), { id: name });
}

/** A struct that refers to itself or to one declared below. */
export function lazy<S extends Schema>(get: () => S) {
  return mark(z.lazy(get), {});
}

export const nullTime = () => nullable(time());
