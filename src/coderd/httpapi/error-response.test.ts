import assert from "node:assert/strict";
import { test } from "node:test";
import { NotFound } from "../errors.ts";
import { errorResponse } from "./error-response.ts";

const coded = (code: string, message = "secret detail"): Error => Object.assign(new Error(message), { code });

test("faults of the database are told as such, without what it said; other faults are 500", () => {
  const cases: readonly (readonly [unknown, number, RegExp])[] = [
    [coded("53100"), 503, /disk that holds the database is full/],
    [coded("53300"), 503, /out of resources/],
    [coded("ECONNREFUSED"), 503, /cannot be reached/],
    [coded("57P03"), 503, /cannot be reached/],
    [new Error("Connection terminated unexpectedly"), 503, /cannot be reached/],
    [coded("23505"), 500, /internal server error/],
    [new Error("secret detail"), 500, /internal server error/],
    ["secret detail", 500, /internal server error/],
    [new NotFound(), 404, /not found/],
  ];
  for (const [error, status, text] of cases) {
    const answer = errorResponse(error);
    assert.equal(answer.status, status, String(error));
    assert.match(answer.text, text);
    assert.doesNotMatch(answer.text, /secret/);
  }
});
