import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { referencePath } from "#testutil/testutil.ts";
import { allEndpoints, type NamedEndpoint } from "./contract.ts";
import { isRaw, paramNames } from "./endpoint.ts";
import { shapeOf } from "./wire-shape.ts";
import type { Schema } from "./wire.ts";

interface RecordedRoute {
  readonly method: string;
  readonly path: string;
  readonly auth: string;
  readonly rate?: string;
  readonly csrf?: string;
  readonly body?: string;
  readonly responses?: Readonly<Record<string, string | null>>;
  readonly client_ok?: readonly number[];
  readonly also_status?: readonly number[];
}

interface Recorded {
  readonly routes: readonly RecordedRoute[];
  readonly schemas: Readonly<Record<string, { readonly props?: Readonly<Record<string, unknown>> }>>;
}

/** Names of parameters differ here and there and mean nothing on the wire. */
const key = (method: string, path: string): string => `${method} ${path.replaceAll(/\{[^}]+\}|\*$/g, "{}")}`;

/** Where the recorded file differs from what the stock server does, or we on purpose: each with its reason. */
const differs: Readonly<Record<string, string>> = {
  "GET /api/v2/users/{}/roles": "the file says User; the transcripts show {roles, organization_roles}",
  "DELETE /api/v2/users/{}": "the file names no body; the transcripts show a message",
  "GET /api/v2/users/{}/keys/tokens": "the file says APIKey; the transcripts show the owner's name too",
  "GET /api/v2/experiments/available": "the file says a list; the transcripts show {safe}",
  "POST /api/v2/templates/{}/versions/archive":
    "the file says Response; the transcripts show {template_id, archived_ids}",
  "POST /api/v2/csp/reports": "any report is taken; the answer is the text ok",
};

/** Schemas that we describe loosely: their inside is passed on as it is. */
const loose = new Set(["DeploymentConfig", "CreateFirstUserRequest"]);

function named(schema: Schema): { readonly list: boolean; readonly schema: Schema } {
  const shape = shapeOf(schema);
  if (shape.kind === "list" || shape.kind === "nullList") return { list: true, schema: shape.item };
  return { list: false, schema };
}

function compare(recorded: Recorded, schema: Schema, name: string, where: string, problems: string[]): void {
  const inner = name.replace(/^\[(.*)\]$/, "$1");
  const want = recorded.schemas[inner]?.props;
  const got = shapeOf(named(schema).schema);
  if (want === undefined || got.kind !== "struct" || loose.has(got.name)) return;
  const names = Object.keys(got.fields).join(" ");
  if (names !== Object.keys(want).join(" ")) {
    problems.push(`${where}: ${got.name}\n    has  ${names}\n    want ${Object.keys(want).join(" ")}`);
  }
}

test("every endpoint is one of the recorded routes, with its caller, limits and keys", (t) => {
  const path = referencePath(t, "api.json");
  if (path === undefined) return;
  const recorded: Recorded = JSON.parse(readFileSync(path, "utf8"));
  const routes = new Map(
    recorded.routes.map((route) => [key(route.method, route.path.replace(/(?<=.)\/$/, "")), route]),
  );
  const problems: string[] = [];
  for (const { id, endpoint } of allEndpoints()) {
    if (endpoint.ours) continue;
    const at = key(endpoint.method, endpoint.path);
    const route = routes.get(at);
    if (route === undefined) {
      problems.push(`${id}: ${at} is not recorded`);
      continue;
    }
    if (route.auth !== endpoint.auth) problems.push(`${id}: auth ${endpoint.auth}, recorded ${route.auth}`);
    const rate = (route.rate ?? "none").split("+").at(-1);
    if (rate !== (endpoint.rate ?? "api")) {
      problems.push(`${id}: rate ${endpoint.rate}, recorded ${route.rate}`);
    }
    if ((route.csrf === "exempt") !== (endpoint.csrf === "exempt")) {
      problems.push(`${id}: csrf exemption differs`);
    }
    if (at in differs) continue;
    if (route.body !== undefined && endpoint.body !== undefined && endpoint.body !== "raw") {
      compare(recorded, endpoint.body, route.body, `${id} body`, problems);
    }
    for (const [status, schema] of Object.entries(endpoint.responses)) {
      const name =
        route.responses?.[status] ?? Object.values(route.responses ?? {}).find((value) => value !== null);
      if (endpoint.stream === undefined && schema !== null && !isRaw(schema) && typeof name === "string") {
        compare(recorded, schema, name, `${id} ${status}`, problems);
      }
      const known = [
        ...Object.keys(route.responses ?? {}).map(Number),
        ...(route.client_ok ?? []),
        ...(route.also_status ?? []),
      ];
      if (known.length > 0 && !known.includes(Number(status))) {
        problems.push(`${id}: answers ${status}, recorded ${known.join(", ")}`);
      }
    }
  }
  assert.equal(problems.join("\n"), "");
});

test("no two endpoints claim the same route, and no two schemas the same name", () => {
  const all = allEndpoints();
  const routes = all.map(({ endpoint }) => key(endpoint.method, endpoint.path));
  assert.deepEqual(
    routes.filter((route, at) => routes.indexOf(route) !== at),
    [],
  );
  const byName = new Map<string, Schema>();
  const twice = new Set<string>();
  for (const schema of schemasOf(all)) {
    const shape = shapeOf(schema);
    if (shape.kind !== "struct") continue;
    if ((byName.get(shape.name) ?? schema) !== schema) twice.add(shape.name);
    byName.set(shape.name, schema);
  }
  assert.deepEqual([...twice], []);
});

test("declared uuid parameters are parameters", () => {
  for (const { id, endpoint } of allEndpoints()) {
    for (const name of endpoint.uuidParams ?? []) {
      assert.ok(paramNames(endpoint.path).includes(name), `${id} ${name}`);
    }
  }
});

function schemasOf(endpoints: readonly NamedEndpoint[]): Set<Schema> {
  const seen = new Set<Schema>();
  const visit = (schema: Schema): void => {
    if (seen.has(schema)) return;
    seen.add(schema);
    const shape = shapeOf(schema);
    if (shape.kind === "struct") Object.values(shape.fields).forEach(visit);
    else if ("item" in shape) visit(shape.item);
    else if ("inner" in shape) visit(shape.inner);
    else if (shape.kind === "lazy") visit(shape.get());
  };
  for (const { endpoint } of endpoints) {
    if (endpoint.body !== undefined && endpoint.body !== "raw") visit(endpoint.body);
    for (const schema of Object.values(endpoint.responses)) {
      if (schema !== null && !isRaw(schema)) visit(schema);
    }
  }
  return seen;
}
