import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration.ts";

describe("duration", () => {
  const cases: [string, number, string][] = [
    ["1h30m", 5_400_000, "1h30m0s"],
    ["1w2d3h", 788_400_000, "219h0m0s"],
    ["-3m", -180_000, "-3m0s"],
    ["0", 0, "0s"],
    ["1.5s", 1500, "1.5s"],
    ["250ms", 250, "250ms"],
    ["5us", 0.005, "5µs"],
    ["876600h", 3_155_760_000_000, "876600h0m0s"],
  ];
  for (const [text, ms, form] of cases) {
    it(`${text} is ${ms} ms, printed ${form}`, () => {
      assert.equal(parseDuration(text), ms);
      assert.equal(formatDuration(ms), form);
    });
  }

  for (const bad of ["", "5", "1.5d", "h", "1h 2m", "1x", "--1s", "99999999999h"]) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.throws(() => parseDuration(bad), /invalid duration/));
  }

  it("property: printed form reads back", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) =>
        assert.equal(parseDuration(formatDuration(ms)), ms),
      ),
    );
  });
});
