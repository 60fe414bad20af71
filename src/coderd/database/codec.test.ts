import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeArray, encodeArgs, rowDecoder } from "./codec.ts";
import { newDb } from "./dbtestutil/dbtestutil.ts";
import { query } from "./query.ts";

interface Values {
  readonly texts: readonly string[];
  readonly json: unknown;
  readonly jsons: readonly unknown[];
  readonly bytes: Uint8Array;
  readonly at: Date;
  readonly n: number;
  readonly flag: boolean;
}

const echo = query<"one", Values, Values>({
  name: "echo",
  kind: "one",
  sql: "SELECT $1::text[], $2::jsonb, $3::jsonb[], $4::bytea, $5::timestamptz, $6::int8, $7::boolean",
  params: ["texts", "json", "jsons", "bytes", "at", "n", "flag"],
  json: ["json", "jsons", "jsons[]"],
  columns: {
    texts: "text[]",
    json: "json",
    jsons: "json[]",
    bytes: "bytes",
    at: "time",
    n: "number",
    flag: "boolean",
  },
});

/** PostgreSQL holds no NUL and no half of a surrogate pair. */
const text = fc.string({ unit: "binary" }).map((made) => made.replace(/\0|\p{Surrogate}/gu, ""));
const json = fc.oneof(
  fc.record({ a: text, "odd key": fc.array(text) }, { noNullPrototype: true }),
  fc.array(text),
  text,
  fc.boolean(),
);

describe("codec", () => {
  it("brings every value back from PostgreSQL as it was", async (t) => {
    const { store } = await newDb(t);
    const values = fc.record({
      texts: fc.array(text),
      json,
      jsons: fc.array(json),
      bytes: fc.uint8Array(),
      at: fc.date({
        min: new Date("0001-01-01T00:00:00Z"),
        max: new Date("9999-12-31T23:59:59.999Z"),
        noInvalidDate: true,
      }),
      n: fc.maxSafeInteger(),
      flag: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(values, async (given) => {
        const back = await store.run(echo, given);
        assert.deepEqual({ ...back, bytes: [...back.bytes] }, { ...given, bytes: [...given.bytes] });
      }),
      { numRuns: 200 },
    );
  });

  it("refuses numbers and times that it cannot hold", () => {
    const decode = rowDecoder({ n: "number", at: "time" });
    assert.throws(() => decode(["9007199254740993", null]), /beyond 2\^53: 9007199254740993/);
    assert.throws(() => decode([null, "infinity"]), /infinity/);
    assert.throws(() => decode([null, "0044-03-15 00:00:00+00 BC"]), /BC/);
    assert.deepEqual(decode([null, "2026-01-02 03:04:05.123456+00"]), {
      n: null,
      at: new Date("2026-01-02T03:04:05.123Z"),
    });
  });

  it("makes an embedded table null when all its columns are", () => {
    const decode = rowDecoder({ user: { id: "text", age: "number" }, n: "number" });
    assert.deepEqual(decode(["a", null, "1"]), { user: { id: "a", age: null }, n: 1 });
    assert.deepEqual(decode([null, null, "1"]), { user: null, n: 1 });
  });

  it("arrays may hold NULL", () => {
    assert.deepEqual(
      decodeArray('{NULL,"NULL",""}', (item) => item),
      [null, "NULL", ""],
    );
    assert.throws(() => decodeArray('{"a', (item) => item), /broken array/);
  });

  it("a field that is left out is NULL", () => {
    assert.deepEqual(encodeArgs({ params: ["a", "b"] }, { b: 1 }), [null, 1]);
  });
});
