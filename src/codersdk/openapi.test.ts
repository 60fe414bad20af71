import assert from "node:assert/strict";
import { test } from "node:test";
import { allEndpoints } from "./contract.ts";
import { openApi } from "./openapi.ts";

test("OpenAPI has every endpoint once, and every reference leads somewhere", () => {
  const text = JSON.stringify(openApi("v1"));
  const { paths, components } = JSON.parse(text);
  const operations = Object.values<Record<string, { operationId: string }>>(paths)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId }) => operationId);
  assert.deepEqual(
    operations.toSorted(),
    allEndpoints()
      .map(({ id }) => id)
      .toSorted(),
  );
  const names = new Set(Object.keys(components.schemas));
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(names.has(name ?? ""), name);
  }
});

test("Go's absences show: omitted fields are not required, null lists may be null", () => {
  const { components } = JSON.parse(JSON.stringify(openApi("v1")));
  const { required, properties } = components.schemas.User;
  assert.ok(required.includes("email") && !required.includes("name"));
  assert.deepEqual(properties.created_at, { type: "string", format: "date-time", "x-validate": "required" });
});
