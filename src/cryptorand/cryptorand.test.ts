import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cryptoRand } from "./cryptorand.ts";
import { seededRand } from "./seeded.ts";

describe("Rand", () => {
  it("uuid() is a version 4 UUID", () => {
    assert.match(cryptoRand.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("string() keeps to its characters and covers them evenly", () => {
    const counts = new Map<string, number>();
    for (const char of cryptoRand.string(30_000, "abc")) counts.set(char, (counts.get(char) ?? 0) + 1);
    assert.deepEqual([...counts.keys()].toSorted(), ["a", "b", "c"]);
    for (const count of counts.values()) assert.ok(count > 9_000 && count < 11_000, `uneven: ${count}`);
  });

  it("int() refuses a range it cannot draw from", () => {
    assert.throws(() => cryptoRand.int(0), /received 0/);
    assert.throws(() => cryptoRand.int(1.5), /received 1.5/);
  });

  it("the same seed repeats", () => {
    assert.equal(seededRand("x").string(40), seededRand("x").string(40));
    assert.notEqual(seededRand("x").string(40), seededRand("y").string(40));
  });
});
