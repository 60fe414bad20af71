import assert from "node:assert/strict";
import { it } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { fromJson, toJson } from "#preview/cty/json.ts";
import * as v from "#preview/cty/value.ts";
import { convert } from "#preview/cty/convert.ts";
import { schemaType } from "../schema.ts";
import type { ManagedType } from "./native-type.ts";
import { randomTypes } from "./random.ts";

const context = { env: {}, url: "", rand: seededRand("random"), os: "linux", arch: "amd64" };

function typeOf(name: string): ManagedType {
  const type = randomTypes.find((item) => item.type === name);
  assert.ok(type, name);
  return type;
}

function config(type: ManagedType, given: Readonly<Record<string, unknown>>): v.Value {
  const empty = Object.fromEntries(Object.keys(type.schema.attributes).map((name) => [name, null]));
  return convert(fromJson({ ...empty, ...given }), schemaType(type.schema));
}

function make(name: string, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const type = typeOf(name);
  const plan = type.plan(config(type, given), undefined);
  assert.deepEqual(plan.problems, []);
  const made = type.create(plan.planned, context);
  assert.deepEqual(made.problems, []);
  assert.ok(v.isWhollyKnown(made.state), name);
  const again = type.plan(config(type, given), made.state);
  assert.deepEqual(again.replace, [], `${name} must not change without a reason`);
  return Object(toJson(made.state));
}

it("random types make what their attributes ask for", () => {
  const id = make("random_id", { byte_length: 4, prefix: "p-" });
  assert.match(String(id["hex"]), /^p-[0-9a-f]{8}$/);
  assert.equal(id["dec"], `p-${Number.parseInt(String(id["hex"]).slice(2), 16)}`);
  assert.equal(id["b64_url"], `p-${String(id["id"])}`);

  const text = make("random_string", { length: 12, special: false, upper: false, min_numeric: 5 });
  assert.match(String(text["result"]), /^[a-z0-9]{12}$/);
  assert.ok(String(text["result"]).replace(/\D/g, "").length >= 5);
  assert.equal(text["number"], true);

  assert.match(String(make("random_pet", {})["id"]), /^[a-z]+-[a-z]+$/);
  assert.match(
    String(make("random_pet", { length: 3, prefix: "x", separator: "_" })["id"]),
    /^x_[a-z]+_[a-z]+_[a-z]+$/,
  );
  assert.match(String(make("random_uuid", {})["result"]), /^[0-9a-f-]{36}$/);
  const number = Number(make("random_integer", { min: -3, max: 3 })["result"]);
  assert.ok(number >= -3 && number <= 3);
  assert.deepEqual(
    make("random_integer", { min: 1, max: 1000, seed: "s" }),
    make("random_integer", { min: 1, max: 1000, seed: "s" }),
  );
  const shuffled = make("random_shuffle", { input: ["a", "b", "c"], result_count: 5 })["result"];
  assert.ok(Array.isArray(shuffled) && shuffled.length === 5);
  assert.equal(Buffer.from(String(make("random_bytes", { length: 6 })["base64"]), "base64").length, 6);
});

it("random types refuse what cannot be, and change only with their attributes", () => {
  const problem = (name: string, given: Readonly<Record<string, unknown>>): string => {
    const type = typeOf(name);
    return type.plan(config(type, given), undefined).problems[0]?.detail ?? "";
  };
  assert.match(problem("random_id", { byte_length: 0 }), /between 1 and 65536/);
  assert.match(problem("random_bytes", { length: 1e9 }), /between/);
  assert.match(problem("random_string", { length: 3, min_upper: 4 }), /minimums need 4/);
  assert.match(
    problem("random_string", { length: 3, upper: false, lower: false, special: false, numeric: false }),
    /no kind/,
  );
  assert.match(problem("random_integer", { min: 5, max: 4 }), /minimum/);
  const type = typeOf("random_id");
  const made = type.create(type.plan(config(type, { byte_length: 4 }), undefined).planned, context).state;
  assert.deepEqual(type.plan(config(type, { byte_length: 5 }), made).replace, [["byte_length"]]);
  assert.deepEqual(type.plan(config(type, { byte_length: 4, keepers: { a: "b" } }), made).replace, [
    ["keepers"],
  ]);
});
