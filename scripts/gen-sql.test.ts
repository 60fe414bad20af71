import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { newConnection } from "../src/coderd/database/dbtestutil/dbtestutil.ts";
import { tempDir } from "../src/testutil/testutil.ts";
import { generate } from "./gen-sql.ts";
import { parseQueries } from "./gen-sql/source.ts";

/** Generated text of one query file. */
async function gen(t: TestContext, sql: string): Promise<string> {
  const dir = join(await tempDir(t), "queries");
  await mkdir(dir);
  await writeFile(join(dir, "things.sql"), sql);
  const files = await generate(await newConnection(t), dir);
  return files.get("things.gen.ts") ?? "";
}

/** Fields of the row type of a query, e.g. `{ n: "number | null" }`. */
function row(text: string, type: string): Record<string, string> {
  const [, body = ""] = new RegExp(`export interface ${type}Row \\{\\n([^}]*)\\}`).exec(text) ?? [];
  return Object.fromEntries([...body.matchAll(/readonly (\w+)\??: (.*);/g)].map(([, key, of]) => [key, of]));
}

describe("generated row types", () => {
  it("know what outer joins, subqueries, CTEs, unions and aggregates can make NULL", async (t) => {
    const text = await gen(
      t,
      `
-- name: Joins :many
SELECT w.name AS inner_side, u.username AS outer_side, coalesce(u.username, '') AS filled, w.ttl_ms AS nullable_column
FROM workspaces w LEFT JOIN users u ON u.id = w.owner_id;

-- name: FullJoin :many
SELECT w.name AS a, u.username AS b FROM workspaces w FULL JOIN users u ON u.id = w.owner_id;

-- name: Nested :many
WITH named AS (SELECT u.id, u.username, u.last_seen_at FROM users u)
SELECT n.username AS kept, n.last_seen_at AS seen, o.username AS lost, s.n AS counted
FROM named n LEFT JOIN named o ON o.id = n.id CROSS JOIN (SELECT count(*) AS n FROM users) s;

-- name: Unions :many
SELECT id, last_seen_at AS at FROM users UNION ALL SELECT id, created_at FROM workspaces;

-- name: Aggregates :one
SELECT count(*) AS total, max(created_at) AS newest, coalesce(sum(daily_cost), 0)::bigint AS cost,
  bool_or(has_ai_task) AS any_task, array_agg(id) AS ids, (count(*) > 3) AS many
FROM workspace_builds;

-- name: Expressions :one
SELECT
  CASE WHEN u.deleted THEN 'x' ELSE u.username END AS both_sides,
  CASE WHEN u.deleted THEN u.username END AS one_side,
  EXISTS (SELECT FROM workspaces w WHERE w.owner_id = u.id) AS has,
  (SELECT count(*) FROM workspaces w WHERE w.owner_id = u.id) AS scalar_count,
  (SELECT w.name FROM workspaces w WHERE w.owner_id = u.id LIMIT 1) AS scalar_row,
  ARRAY(SELECT w.id FROM workspaces w) AS list,
  u.username || '!' AS strict_operator,
  u.last_seen_at + '1 hour'::interval AS strict_of_nullable,
  '{"a": 1}'::jsonb ->> 'a' AS json_member,
  nullif(u.username, '') AS maybe_empty,
  u.last_seen_at IS NULL AS never,
  greatest(u.created_at, u.last_seen_at) AS latest,
  @given::text AS given,
  sqlc.narg('perhaps')::text AS perhaps
FROM users u WHERE u.id = @id;
`,
    );
    assert.deepEqual(row(text, "Joins"), {
      innerSide: "string",
      outerSide: "string | null",
      filled: "string",
      nullableColumn: "number | null",
    });
    assert.deepEqual(row(text, "FullJoin"), { a: "string | null", b: "string | null" });
    assert.deepEqual(row(text, "Nested"), {
      kept: "string",
      seen: "Date | null",
      lost: "string | null",
      counted: "number",
    });
    assert.deepEqual(row(text, "Unions"), { id: "string", at: "Date | null" });
    assert.deepEqual(row(text, "Aggregates"), {
      total: "number",
      newest: "Date | null",
      cost: "number",
      anyTask: "boolean | null",
      ids: "string[] | null",
      many: "boolean",
    });
    assert.deepEqual(row(text, "Expressions"), {
      bothSides: "string",
      oneSide: "string | null",
      has: "boolean",
      scalarCount: "number",
      scalarRow: "string | null",
      list: "string[]",
      strictOperator: "string",
      strictOfNullable: "Date | null",
      jsonMember: "string | null",
      maybeEmpty: "string | null",
      never: "boolean",
      latest: "Date",
      given: "string",
      perhaps: "string | null",
    });
  });

  it("embed whole tables, null where an outer join found none", async (t) => {
    const text = await gen(
      t,
      `
-- name: Embeds :many
SELECT sqlc.embed(w), sqlc.embed(u), 1 AS n FROM workspaces w LEFT JOIN users u ON u.id = w.owner_id;
`,
    );
    assert.deepEqual(row(text, "Embeds"), { w: "Workspace", u: "User | null", n: "number" });
    assert.match(text, /columns: \{ w: workspaceColumns, u: userColumns, n: "number" \}/);
    assert.ok(!text.includes("w.*"), "stars are written out");
  });

  it("take enums, arrays of enums, JSON types of columns, and the table's own type for whole rows", async (t) => {
    const text = await gen(
      t,
      `
-- name: Agents :many
SELECT display_apps, lifecycle_state, environment_variables FROM workspace_agents
WHERE lifecycle_state = ANY (@states::workspace_agent_lifecycle_state[]);

-- name: Whole :one
SELECT * FROM users WHERE id = @id;

-- name: Changed :one
UPDATE workspaces SET name = @name WHERE id = @id RETURNING *;
`,
    );
    assert.deepEqual(row(text, "Agents"), {
      displayApps: "DisplayApp[]",
      lifecycleState: "WorkspaceAgentLifecycleState",
      environmentVariables: "StringMap",
    });
    assert.match(text, /readonly states: readonly WorkspaceAgentLifecycleState\[\];/);
    assert.match(text, /query<"one", WholeArg, User>/);
    assert.match(text, /query<"one", ChangedArg, Workspace>/);
    assert.match(text, /RETURNING id, owner_id, /);
  });
});

describe("errors name the file and the query", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["SQL that does not parse", "-- name: A :one\nSELEC 1;", /things\.sql: A: syntax error/],
    ["an unknown column", "-- name: A :one\nSELECT nope FROM users;", /things\.sql: A: column "nope"/],
    [
      "an unknown kind",
      "-- name: A :some\nSELECT 1 AS n;",
      /things\.sql: A: kind must be one of .* received some/,
    ],
    ["a column without a name", "-- name: A :one\nSELECT 1;", /things\.sql: A: column 1 has no name/],
    ["one name twice", "-- name: A :one\nSELECT 1 AS n, 2 AS n;", /two columns are called n/],
    [
      "numeric",
      "-- name: A :one\nSELECT sum(daily_cost::bigint) AS n FROM workspace_builds;",
      /numeric .* cast it/,
    ],
    ["rows wanted of a statement without", "-- name: A :one\nDELETE FROM users;", /use :exec or :execrows/],
    ["a star inside a list", "-- name: A :one\nSELECT u.*, 1 AS n FROM users u;", /sqlc\.embed/],
    [
      "a query twice",
      "-- name: A :one\nSELECT 1 AS n;\n-- name: A :one\nSELECT 1 AS n;",
      /A: is in things\.sql too/,
    ],
    [
      "a filter without its words",
      "-- name: A :many\nSELECT id FROM users\nWHERE true\n-- @authorize_filter\n;",
      /workspace w/,
    ],
  ];
  for (const [what, sql, expected] of cases) {
    it(what, async (t) => {
      await assert.rejects(gen(t, sql), expected);
    });
  }
});

describe("parseQueries", () => {
  it("numbers parameters, and leaves operators, strings and comments alone", () => {
    const [query] = parseQueries(
      "x.sql",
      `-- name: Find :many
-- What it is for.
SELECT id, 'me@example.com' AS mail FROM users
WHERE tags @> @tags AND id = @id -- not @this
  AND (sqlc.narg('name')::text IS NULL OR name = sqlc.narg('name')) AND other = sqlc.arg('id')
  -- @authorize_filter user u
ORDER BY 1;`,
    );
    assert.ok(query);
    assert.deepEqual(query.params, [
      { name: "tags", nullable: false },
      { name: "id", nullable: false },
      { name: "name", nullable: true },
    ]);
    assert.match(query.body, /tags @> \$1 AND id = \$2 -- not @this/);
    assert.match(query.body, /\(\$3::text IS NULL OR name = \$3\) AND other = \$2\n\/\*authorize_filter\*\//);
    assert.match(query.body, /me@example\.com/);
    assert.deepEqual(query.filter, { resource: "user", alias: "u" });
    assert.deepEqual(query.doc, ["What it is for."]);
  });
});
