import assert from "node:assert/strict";
import { it } from "node:test";
import { contract } from "#codersdk/contract.ts";
import { Invalid } from "../errors.ts";
import { readQuery } from "./query.ts";

const { logs } = contract.templateversions;
const read = (text: string) => readQuery(logs, new URLSearchParams(text));

it("a parameter that is set by being there needs no value, as stock clients send it", () => {
  for (const text of ["follow", "follow=", "follow=1&after=3", "follow=false"]) {
    assert.equal(read(text).follow, true, text);
  }
  assert.equal(read("after=3").follow, false);
});

it("every value that cannot be is named, all in one answer", () => {
  assert.throws(
    () => read("before=x&after=1.5"),
    (error) =>
      error instanceof Invalid &&
      assert.deepEqual(
        error.validations.map(({ field }) => field),
        ["before", "after"],
      ) === undefined,
  );
});
