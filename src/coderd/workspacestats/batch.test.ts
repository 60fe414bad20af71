import assert from "node:assert/strict";
import { test } from "node:test";
import { MockClock } from "#quartz/mock.ts";
import { discardLogger } from "#slog/slog.ts";
import { Batch } from "./batch.ts";

function collecting(maxEntries: number) {
  const clock = new MockClock();
  const written: number[][] = [];
  let failing = false;
  const batch = Batch.start<number>({
    name: "numbers",
    flushMs: 1000,
    maxEntries,
    clock,
    log: discardLogger,
    write: async (entries) => {
      if (failing) throw new Error("the database is away");
      written.push([...entries]);
    },
  });
  return { batch, clock, written, fail: (yes: boolean) => void (failing = yes) };
}

test("entries of a moment are written together, and the rest at the end", async () => {
  const { batch, clock, written } = collecting(100);
  batch.add(1);
  batch.add(2);
  await clock.advance(1000);
  await batch.flush();
  assert.deepEqual(written, [[1, 2]]);
  batch.add(3);
  await batch[Symbol.asyncDispose]();
  assert.deepEqual(written, [[1, 2], [3]]);
});

test("a full batch does not wait for the clock", async () => {
  const { batch, written } = collecting(5);
  for (const n of [1, 2, 3, 4]) batch.add(n);
  await batch.flush();
  assert.deepEqual(written, [[1, 2, 3, 4]]);
  await batch[Symbol.asyncDispose]();
});

test("what could not be written is written with the next batch, up to the bound", async () => {
  const { batch, written, fail } = collecting(4);
  fail(true);
  for (const n of [1, 2, 3]) batch.add(n);
  await batch.flush();
  for (const n of [4, 5, 6]) batch.add(n);
  fail(false);
  await batch.flush();
  assert.deepEqual(written, [[1, 2, 3, 4]]);
  await batch[Symbol.asyncDispose]();
});
