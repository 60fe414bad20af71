import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ApiError } from "../errors.ts";
import { parseSearch, splitQuery } from "./search-query.ts";
import type { ValidationError } from "#codersdk/response.ts";

const spec = {
  what: "user",
  free: "search",
  keys: {
    search: "string",
    name: "string",
    status: ["active", "dormant"],
    tags: "strings",
    dormant: "bool",
    last_seen_before: "time",
    id: "uuids",
  },
} as const;

const fields = (query: string): (readonly [string, string])[] => {
  try {
    parseSearch(query, spec);
  } catch (error) {
    if (error instanceof ApiError) return error.validations.map(({ field, detail }) => [field, detail]);
    throw error;
  }
  return [];
};

test("free words join into one term, values may be quoted, lists repeat and split at commas", () => {
  const found = parseSearch('Two WORDS name:"my ws" status:active status:dormant,active tags:a,b', spec);
  assert.equal(found.search, "two words");
  assert.equal(found.name, "my ws");
  assert.deepEqual(found.status, ["active", "dormant", "active"]);
  assert.deepEqual(found.tags, ["a", "b"]);
  assert.equal(found.dormant, undefined);
});

test("quoted times are read, though the query is lower-cased", () => {
  const found = parseSearch('last_seen_before:"2026-01-02T03:04:05Z"', spec);
  assert.deepEqual(found.last_seen_before, new Date("2026-01-02T03:04:05Z"));
});

test("every problem is told at once", () => {
  assert.deepEqual(fields("a:b:c nosuch:1 status:bad :x y: dormant:maybe"), [
    ["q", "Query element \"a:b:c\" can only contain 1 ':'"],
    ["q", "Query element \":x\" cannot start or end with ':'"],
    ["q", "Query element \"y:\" cannot start or end with ':'"],
    ["nosuch", '"nosuch" is not a valid query param'],
    ["status", 'Query param "status" has invalid values: "bad"'],
    ["dormant", 'Query param "dormant" must be a valid boolean'],
  ]);
  assert.deepEqual(
    fields("x".repeat(5000)).map(([field]) => field),
    ["q"],
  );
});

/** The rules of the language, one character at a time and as slow as that is. */
function slowSplit(query: string): { readonly found: [string, string[]][]; readonly failed: number } {
  const inQuotes = (text: string, at: number): boolean => text.slice(0, at).split('"').length % 2 === 0;
  const cut = (text: string, by: string): string[] => {
    const borders = Array.from(text).flatMap((char, at) => (char === by && !inQuotes(text, at) ? [at] : []));
    return [-1, ...borders].map((border, n) => text.slice(border + 1, borders[n] ?? text.length));
  };
  const found = new Map<string, string[]>();
  const free: string[] = [];
  let failed = 0;
  for (const element of cut(query, " ")) {
    if (element === "") continue;
    const parts = cut(element, ":");
    if (element[0] === ":" || element.at(-1) === ":" || parts.length > 2) failed++;
    else if (parts.length === 1) free.push(element.split('"').join(""));
    else {
      found.set(parts[0] ?? "", [...(found.get(parts[0] ?? "") ?? []), (parts[1] ?? "").split('"').join("")]);
    }
  }
  if (free.length > 0) found.set("search", [...(found.get("search") ?? []), free.join(" ")]);
  return { found: [...found], failed };
}

test("the splitter equals a slow reference on any text", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ":", " ", '"', ","), maxLength: 24 });
  fc.assert(
    fc.property(text, (query) => {
      const failures: ValidationError[] = [];
      const found = [...splitQuery(query, "search", failures)];
      assert.deepEqual({ found, failed: failures.length }, slowSplit(query));
    }),
    { numRuns: 3000 },
  );
});
