import assert from "node:assert/strict";
import { it } from "node:test";
import { compareSync } from "bcryptjs";
import { seededRand } from "#cryptorand/seeded.ts";
import { MockClock } from "#quartz/mock.ts";
import * as v from "../cty/value.ts";
import { Budget, type FunctionContext } from "../hcl/scope.ts";
import { makeFunctions } from "./functions.ts";

const clock = new MockClock();

function call(impure: "now" | "unknown", ...args: v.Value[]): v.Value {
  const budget = new Budget();
  const context: FunctionContext = {
    spend(steps) {
      if (!budget.spend(steps)) throw new Error("too much work");
    },
    scope: { budget, lookup: () => undefined, function: () => undefined },
  };
  const made = makeFunctions({
    clock,
    rand: seededRand("bcrypt"),
    planTime: clock.now(),
    files: { base: "/", root: "/" },
    impure,
  })("bcrypt");
  assert.ok(made);
  return made.call(args, context);
}

it("bcrypt() hashes with the cost that is asked for, and is known only at apply", () => {
  const hash = call("now", v.str("s3cret"), v.int(5)).content;
  assert.ok(typeof hash === "string");
  assert.match(hash, /^\$2a\$05\$.{53}$/);
  assert.ok(compareSync("s3cret", hash));
  assert.equal(call("unknown", v.str("s3cret")).content, undefined);
});

it("bcrypt() refuses what it cannot do", () => {
  assert.throws(() => call("now", v.str("x"), v.int(3)), /4 to 31/);
  assert.throws(() => call("now", v.str("x"), v.int(20)), /too much work/);
  assert.throws(() => call("now", v.str("x".repeat(73))), /72 bytes/);
  assert.throws(() => call("now", v.str("x"), v.int(4), v.int(4)), /one or two/);
});
