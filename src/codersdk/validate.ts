/**
 * Request checks in the notation that stock clients see in error texts: `required,username`. Runs on decoded values and
 * reports the first failing tag of every field, all fields at once, in struct order.
 */
import { BadEnum } from "./wire-decode.ts";
import { formatTime, isEmpty } from "./wire-encode.ts";
import { metaOf, type Shape, shapeOf } from "./wire-shape.ts";
import { type Schema, zeroTime, zeroUuid } from "./wire.ts";
import type { ValidationError } from "./response.ts";

type Fields = Readonly<Record<string, unknown>>;
/** True when the value passes. `param` is what follows `=`; `fields` is the struct around it. */
type Check = (value: unknown, param: string, fields: Fields) => boolean;

const name = /^[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$/;
const versionName = /^[a-zA-Z0-9]+(?:[_.-][a-zA-Z0-9]+)*$/;
// Local part and domain of RFC 5322's dot-atom form; quoted local parts are not accepted.
const emailForm =
  /^[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?)*$/u;

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

export function isEmail(text: string): boolean {
  return text.length <= 320 && emailForm.test(text) && !text.includes("..") && !/^\.|\.@/.test(text);
}

/** Names of users, workspaces, templates and organizations. */
export function isName(text: string): boolean {
  return text.length >= 1 && text.length <= 32 && name.test(text) && text !== "new" && text !== "create";
}

const onText =
  (check: (text: string) => boolean): Check =>
  (value) =>
    check(typeof value === "string" ? value : "");

const displayName = (limit: number): Check =>
  onText((text) => byteLength(text) <= limit && text === text.trim());

function isUrl(text: string, protocols?: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host } = new URL(text);
  return protocols === undefined ? true : protocols.includes(protocol) && host !== "";
}

/** Length of texts and lists, the value itself of numbers. */
function size(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") return Array.from(value).length;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

/** `other value`: whether that field holds that value. */
function otherIs(param: string, fields: Fields): boolean {
  const [other = "", ...expected] = param.split(" ");
  return textOf(fields[other]) === expected.join(" ");
}

const checks: Readonly<Record<string, Check>> = {
  required: (value) => !isEmpty(value),
  required_without: (value, param, fields) => !isEmpty(value) || !isEmpty(fields[param]),
  required_if: (value, param, fields) => !isEmpty(value) || !otherIs(param, fields),
  required_unless: (value, param, fields) => !isEmpty(value) || otherIs(param, fields),
  excluded_with: (value, param, fields) => isEmpty(value) || isEmpty(fields[param]),
  oneof: (value, param) => param.split(" ").includes(textOf(value)),
  min: (value, param) => size(value) >= Number(param),
  max: (value, param) => size(value) <= Number(param),
  gte: (value, param) => size(value) >= Number(param),
  lte: (value, param) => size(value) <= Number(param),
  gt: (value, param) => size(value) > Number(param),
  lt: (value, param) => size(value) < Number(param),
  email: onText(isEmail),
  url: onText((text) => isUrl(text)),
  http_url: onText((text) => isUrl(text, ["http:", "https:"])),
  username: onText(isName),
  workspace_name: onText(isName),
  template_name: onText(isName),
  organization_name: onText(isName),
  oauth2_app_name: onText(isName),
  group_name: onText((text) => text.length <= 255 && name.test(text) && text !== "new" && text !== "create"),
  template_version_name: onText((text) => text.length <= 64 && versionName.test(text)),
  template_display_name: displayName(64),
  group_display_name: displayName(64),
  organization_display_name: displayName(64),
  user_real_name: displayName(128),
};

/** How Go prints the value in the text of a failing field. */
function textOf(value: unknown, zero = ""): string {
  if (value === undefined || value === null) return zero;
  if (value instanceof Date) return formatTime(value);
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

/** Text of the zero value, which absent fields stand for. */
function zeroText(shape: Shape): string {
  switch (shape.kind) {
    case "uuid":
      return zeroUuid;
    case "time":
      return formatTime(zeroTime);
    case "bool":
      return "false";
    case "int":
    case "float":
    case "durationNs":
      return "0";
    case "nullable":
    case "ptr":
      return "<nil>";
    case "omit":
      return zeroText(shapeOf(shape.inner));
    default:
      return "";
  }
}

/** Failing fields of a decoded value, in struct order; empty if all pass. */
export function validate(schema: Schema, value: unknown): ValidationError[] {
  const failures: ValidationError[] = [];
  visit(schema, value, "", failures);
  return failures;
}

function fail(failures: ValidationError[], field: string, tag: string, value: string): void {
  failures.push({ field, detail: `Validation failed for tag "${tag}" with value: "${value}"` });
}

function visit(schema: Schema, value: unknown, field: string, failures: ValidationError[]): void {
  if (value instanceof BadEnum) return fail(failures, field, "oneof", value.received);
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case "nullable":
    case "omit":
    case "ptr":
      if (value !== undefined && value !== null) visit(shape.inner, value, field, failures);
      return;
    case "lazy":
      return visit(shape.get(), value, field, failures);
    case "list":
    case "nullList":
      if (Array.isArray(value)) {
        value.forEach((entry, at) => visitItem(shape.item, entry, `${field}[${at}]`, failures));
      }
      return;
    case "map":
      for (const [key, entry] of Object.entries(asFields(value))) {
        visitItem(shape.item, entry, `${field}[${key}]`, failures);
      }
      return;
    case "struct": {
      const fields = asFields(value);
      for (const [key, inner] of Object.entries(shape.fields)) visitField(inner, fields, key, failures);
      return;
    }
    default:
      return;
  }
}

/** Go's validator does not look into lists and maps; only wrong enum names are reported from there. */
function visitItem(item: Schema, value: unknown, field: string, failures: ValidationError[]): void {
  if (value instanceof BadEnum) fail(failures, field, "oneof", value.received);
  else if (typeof value === "object" && value !== null) {
    const inside: ValidationError[] = [];
    visit(item, value, field, inside);
    failures.push(...inside.filter((failure) => failure.detail.includes('tag "oneof"')));
  }
}

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function visitField(schema: Schema, fields: Fields, key: string, failures: ValidationError[]): void {
  const raw = fields[key];
  const value = raw instanceof BadEnum ? raw.received : raw;
  for (const tag of tagsOf(schema)) {
    const [tagName, param] = splitOnce(tag, "=");
    if (tagName === "omitempty") {
      if (isEmpty(value)) return;
      continue;
    }
    const check = checks[tagName];
    if (check === undefined) throw new Error(`unknown validation tag: ${tagName}`);
    if (!check(value, param, fields)) {
      return fail(failures, key, tagName, textOf(value, zeroText(shapeOf(schema))));
    }
  }
  visit(schema, raw, key, failures);
}

function tagsOf(schema: Schema): readonly string[] {
  const own = metaOf(schema).tags;
  if (own !== undefined) return own.split(",");
  const shape = shapeOf(schema);
  const inner =
    shape.kind === "omit" || shape.kind === "ptr" || shape.kind === "nullable" ? shape.inner : undefined;
  const tags = inner && metaOf(inner).tags;
  return tags === undefined ? [] : tags.split(",");
}

function splitOnce(text: string, at: string): readonly [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + at.length)];
}
