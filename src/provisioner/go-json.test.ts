import assert from "node:assert/strict";
import { test } from "node:test";
import { goJson } from "./go-json.ts";

test("goJson() sorts keys and escapes as Go does", () => {
  assert.equal(
    goJson({ b: [1.5, null, true], a: "<&>\u2028\n" }),
    '{"a":"\\u003c\\u0026\\u003e\\u2028\\n","b":[1.5,null,true]}',
  );
  assert.equal(goJson(null), "null");
  assert.equal(goJson({ x: undefined }), "{}");
});
