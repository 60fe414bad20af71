import assert from "node:assert/strict";
import { test } from "node:test";
import { validate } from "./validate.ts";
import { parseUuid } from "./uuid.ts";
import { decode, WireError } from "./wire-decode.ts";
import { encode, formatTime } from "./wire-encode.ts";
import * as w from "./wire.ts";

const Inner = w.struct("TestInner", { name: w.string("required"), kind: w.omit(w.enums("a", "b")) });
const All = w.struct("TestAll", {
  id: w.uuid(),
  text: w.string(),
  flag: w.bool(),
  count: w.int(),
  at: w.time(),
  maybe_at: w.nullTime(),
  tags: w.list(w.string()),
  old_tags: w.nullList(w.string()),
  labels: w.map(w.string()),
  inner: w.ptr(Inner),
  note: w.omit(w.string()),
  ttl_ms: w.nullable(w.int()),
  data: w.bytes(),
});

const zero: w.Infer<typeof All> = {
  id: w.zeroUuid,
  text: "",
  flag: false,
  count: 0,
  at: w.zeroTime,
  maybe_at: null,
  tags: [],
  old_tags: [],
  labels: {},
  ttl_ms: null,
  data: new Uint8Array(),
};

test("zero values are written as Go writes them, in declaration order", () => {
  assert.equal(
    encode(All, zero),
    `{"id":"${w.zeroUuid}","text":"","flag":false,"count":0,"at":"0001-01-01T00:00:00Z","maybe_at":null,` +
      `"tags":[],"old_tags":null,"labels":{},"ttl_ms":null,"data":""}`,
  );
});

test("missing and null fields are read as zero values", () => {
  assert.deepEqual({ ...decode(All, {}), labels: {} }, zero);
  assert.deepEqual({ ...decode(All, { text: null, tags: null, at: null }), labels: {} }, zero);
});

test("keys match whatever their case, unknown ones are ignored, exact ones win", () => {
  const value = decode(All, { TEXT: "upper", text: "exact", Flag: true, nobody: { knows: 1 } });
  assert.equal(value.text, "exact");
  assert.equal(value.flag, true);
  assert.ok(!("nobody" in value));
});

test("a full value survives the way there and back", () => {
  const value: w.Infer<typeof All> = {
    id: "0a0b0c0d-0000-4000-8000-000000000001",
    text: 'quo"te\n\u2028',
    flag: true,
    count: -7,
    at: new Date("2026-01-02T03:04:05.670Z"),
    maybe_at: new Date("2026-01-02T03:04:05Z"),
    tags: ["a", "b"],
    old_tags: ["c"],
    labels: { __proto__x: "y", k: "v" },
    inner: { name: "n", kind: "b" },
    note: "x",
    ttl_ms: 0,
    data: Uint8Array.of(1, 2, 255),
  };
  const back = decode(All, JSON.parse(encode(All, value)));
  assert.deepEqual({ ...back, labels: { ...back.labels } }, value);
});

test("a wrong type names the path and what was received", () => {
  for (const [body, message] of [
    [{ text: 1 }, "text must be a string: received number"],
    [{ tags: ["a", 2] }, "tags.1 must be a string: received number"],
    [{ inner: { name: [] } }, "inner.name must be a string: received array"],
    [{ count: 1.5 }, "count must be an integer: received number"],
    [{ at: "yesterday" }, "at must be a time of RFC 3339: received string"],
    [{ id: "x" }, "id must be a uuid: received string"],
    [[], "body must be an object: received array"],
  ] as const) {
    assert.throws(
      () => decode(All, body),
      (error) => error instanceof WireError && error.message === message,
    );
  }
});

test("unknown keys of a value never reach the wire", () => {
  const secret = { name: "n", password: "hunter2" };
  assert.equal(encode(Inner, secret), '{"name":"n"}');
});

test("times lose the zeros at the end of their fraction", () => {
  assert.equal(formatTime(new Date("2026-01-02T03:04:05.600Z")), "2026-01-02T03:04:05.6Z");
  assert.equal(formatTime(new Date("2026-01-02T03:04:05.010Z")), "2026-01-02T03:04:05.01Z");
  assert.equal(formatTime(new Date("2026-01-02T03:04:00Z")), "2026-01-02T03:04:00Z");
});

test("uuids are read in every form that Go reads", () => {
  const want = "0a0b0c0d-0000-4000-8000-00000000000f";
  for (const text of [want, want.toUpperCase(), `{${want}}`, `urn:uuid:${want}`, want.replaceAll("-", "")]) {
    assert.equal(parseUuid(text), want);
  }
  assert.equal(parseUuid("me"), undefined);
  assert.equal(parseUuid(`${want}0`), undefined);
});

const Request = w.struct("TestRequest", {
  name: w.string("required,username"),
  real: w.string("user_real_name"),
  kind: w.enums("a", "b"),
  template_id: w.omit(w.uuid(), "required_without=version_id,excluded_with=version_id"),
  version_id: w.omit(w.uuid(), "required_without=template_id,excluded_with=template_id"),
  email: w.omit(w.string(), "omitempty,email"),
});

test("every failing field is reported once, in struct order, in the fixed form", () => {
  assert.deepEqual(validate(Request, decode(Request, { real: " x", kind: "zz", email: "nope" })), [
    { field: "name", detail: 'Validation failed for tag "required" with value: ""' },
    { field: "real", detail: 'Validation failed for tag "user_real_name" with value: " x"' },
    { field: "kind", detail: 'Validation failed for tag "oneof" with value: "zz"' },
    {
      field: "template_id",
      detail: `Validation failed for tag "required_without" with value: "${w.zeroUuid}"`,
    },
    {
      field: "version_id",
      detail: `Validation failed for tag "required_without" with value: "${w.zeroUuid}"`,
    },
    { field: "email", detail: 'Validation failed for tag "email" with value: "nope"' },
  ]);
  const id = "0a0b0c0d-0000-4000-8000-000000000001";
  const both = decode(Request, { name: "ok", kind: "a", template_id: id, version_id: id });
  assert.deepEqual(
    validate(Request, both).map(({ field }) => field),
    ["template_id", "version_id"],
  );
  assert.deepEqual(validate(Request, decode(Request, { name: "ok", kind: "a", template_id: id })), []);
});

test("usernames follow the one rule for names", () => {
  const check = (name: string) =>
    validate(Request, decode(Request, { name, kind: "a", version_id: w.zeroUuid }));
  const good = ["a", "A1", "a-b-c", "x".repeat(32)];
  const bad = ["-a", "a-", "a--b", "new", "create", "a b", "x".repeat(33), "ü"];
  for (const name of good) assert.ok(!check(name).some(({ field }) => field === "name"), name);
  for (const name of bad) {
    const fields = check(name).map(({ field }) => field);
    assert.ok(fields.includes("name"), name);
  }
});

test("clients let unknown enum values pass", () => {
  const Answer = w.struct("TestAnswer", { kind: w.enums("a", "b") });
  assert.deepEqual<unknown>(decode(Answer, { kind: "newer" }, { lenient: true }), { kind: "newer" });
});
