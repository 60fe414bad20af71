import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { comebackDelay } from "./comeback.ts";

test("grows to a second while the outage is young, then to its limit; half of it is chance", () => {
  const rand = seededRand("comeback");
  const limits = { firstMs: 50, maxMs: 10_000 };
  const at = (attempt: number): number[] =>
    Array.from({ length: 200 }, () => comebackDelay(attempt, rand, limits));
  for (const [attempt, base] of [
    [0, 50],
    [3, 400],
    [5, 1_000],
    [119, 1_000],
    [120, 10_000],
    [1e6, 10_000],
  ] as const) {
    const delays = at(attempt);
    assert.ok(Math.min(...delays) >= base / 2 && Math.max(...delays) <= base, `attempt ${attempt}`);
    assert.ok(new Set(delays).size > 10);
  }
  assert.ok(comebackDelay(200, rand, { firstMs: 50, maxMs: 300 }) <= 300);
});
