import assert from "node:assert/strict";
import { test } from "node:test";
import { nextCron, parseCron } from "./cron.ts";

/** In this machine's zone, whatever it is. */
const at = (...parts: [number, number, number, number?, number?, number?]) => new Date(...parts);

function next(text: string, after: Date, count = 1): Date[] {
  const schedule = parseCron(text);
  const times: Date[] = [];
  let from = after;
  for (let n = 0; n < count; n++) {
    const found = nextCron(schedule, from);
    if (!found) break;
    times.push(found);
    from = found;
  }
  return times;
}

test("seconds come first, the day of the week may be left out", () => {
  const from = at(2026, 0, 15, 10, 0, 0);
  assert.deepEqual(next("*/20 * * * *", from, 3), [
    at(2026, 0, 15, 10, 0, 20),
    at(2026, 0, 15, 10, 0, 40),
    at(2026, 0, 15, 10, 1, 0),
  ]);
  assert.deepEqual(next("0 30 9 * * 1-5", from, 2), [at(2026, 0, 16, 9, 30), at(2026, 0, 19, 9, 30)]);
  assert.deepEqual(next("5,10 0 0 1 jan,MAR *", from, 2), [
    at(2026, 2, 1, 0, 0, 5),
    at(2026, 2, 1, 0, 0, 10),
  ]);
  assert.deepEqual(next("0 50/5 10 * *", from, 2), [at(2026, 0, 15, 10, 50), at(2026, 0, 15, 10, 55)]);
});

test("where both kinds of days are restricted, one is enough", () => {
  const from = at(2026, 0, 1);
  assert.deepEqual(next("0 0 12 13 * fri", from, 3), [
    at(2026, 0, 2, 12),
    at(2026, 0, 9, 12),
    at(2026, 0, 13, 12),
  ]);
});

test("a day that comes every four years, and one that never comes", () => {
  assert.deepEqual(next("0 0 0 29 2 *", at(2026, 0, 1)), [at(2028, 1, 29)]);
  assert.deepEqual(next("0 0 0 30 2 *", at(2026, 0, 1)), []);
});

test("what is no schedule is refused, by name", () => {
  for (const text of [
    "",
    "* * * *",
    "@hourly",
    "60 * * * *",
    "* * * 0 *",
    "a * * * *",
    "*/0 * * * *",
    "5-1 * * * *",
  ]) {
    assert.throws(() => parseCron(text), /received/u, text);
  }
});
