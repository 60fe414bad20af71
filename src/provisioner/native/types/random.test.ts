import assert from "node:assert/strict";
import { it } from "node:test";
import { compareSync } from "bcryptjs";
import { MockClock } from "#quartz/mock.ts";
import {
  configOf as config,
  json,
  makeState,
  managedType as typeOf,
  typeContext,
} from "../nativetest/types.ts";

const context = typeContext();

const make = async (
  name: string,
  given: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> => json(await makeState(typeOf(name), given, context));

it("random types make what their attributes ask for", async () => {
  const id = await make("random_id", { byte_length: 4, prefix: "p-" });
  assert.match(String(id["hex"]), /^p-[0-9a-f]{8}$/);
  assert.equal(id["dec"], `p-${Number.parseInt(String(id["hex"]).slice(2), 16)}`);
  assert.equal(id["b64_url"], `p-${String(id["id"])}`);

  const text = await make("random_string", { length: 12, special: false, upper: false, min_numeric: 5 });
  assert.match(String(text["result"]), /^[a-z0-9]{12}$/);
  assert.ok(String(text["result"]).replace(/\D/g, "").length >= 5);
  assert.equal(text["number"], true);

  assert.match(String((await make("random_pet", {}))["id"]), /^[a-z]+-[a-z]+$/);
  assert.match(
    String((await make("random_pet", { length: 3, prefix: "x", separator: "_" }))["id"]),
    /^x_[a-z]+_[a-z]+_[a-z]+$/,
  );
  assert.match(String((await make("random_uuid", {}))["result"]), /^[0-9a-f-]{36}$/);
  const number = Number((await make("random_integer", { min: -3, max: 3 }))["result"]);
  assert.ok(number >= -3 && number <= 3);
  assert.deepEqual(
    await make("random_integer", { min: 1, max: 1000, seed: "s" }),
    await make("random_integer", { min: 1, max: 1000, seed: "s" }),
  );
  const shuffled = (await make("random_shuffle", { input: ["a", "b", "c"], result_count: 5 }))["result"];
  assert.ok(Array.isArray(shuffled) && shuffled.length === 5);
  assert.equal(
    Buffer.from(String((await make("random_bytes", { length: 6 }))["base64"]), "base64").length,
    6,
  );
});

it("random_password keeps what it made secret, with a bcrypt hash of its first 72 bytes", async () => {
  const type = typeOf("random_password");
  const made = json(
    await makeState(type, { length: 80, number: false, min_special: 3, override_special: "%-" }, context),
  );
  const result = String(made["result"]);
  assert.match(result, /^[A-Za-z%-]{80}$/);
  assert.ok(result.replace(/[^%-]/g, "").length >= 3);
  assert.equal(made["id"], "none");
  assert.equal(made["numeric"], false, "number is numeric's old name");
  const hash = String(made["bcrypt_hash"]);
  assert.match(hash, /^\$2a\$10\$/);
  assert.ok(compareSync(result.slice(0, 72), hash));
  for (const name of ["result", "bcrypt_hash"]) assert.equal(type.schema.attributes[name]?.sensitive, true);
});

it("random_uuid7 begins with the time", async () => {
  const clock = new MockClock("2026-01-02T03:04:05Z");
  const made = json(await makeState(typeOf("random_uuid7"), {}, typeContext({ clock })));
  assert.match(
    String(made["result"]),
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const ms = Number.parseInt(String(made["result"]).replaceAll("-", "").slice(0, 12), 16);
  assert.equal(ms, clock.now().getTime());
});

it("random types refuse what cannot be, and change only with their attributes", async () => {
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
  const made = await makeState(type, { byte_length: 4 }, context);
  assert.deepEqual(type.plan(config(type, { byte_length: 5 }), made).replace, [["byte_length"]]);
  assert.deepEqual(type.plan(config(type, { byte_length: 4, keepers: { a: "b" } }), made).replace, [
    ["keepers"],
  ]);
});
