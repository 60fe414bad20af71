import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import pg from "pg";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { golden } from "#testutil/testutil.ts";
import { newCtx, type Ctx } from "../../ctx.ts";
import { NotFound } from "../../errors.ts";
import { actors } from "../../rbac/actors.ts";
import { newRoleTable } from "../../rbac/roletable.ts";
import { scopeAll, tokenScope } from "../../rbac/scopes.ts";
import type { Subject } from "../../rbac/subject.ts";
import { clientConfig } from "../connection.ts";
import type { Store } from "../db.ts";
import { newConnection, newDb } from "../dbtestutil/dbtestutil.ts";
import { type AllQueries, queries } from "../gen/queries.gen.ts";
import type { AnyQuery, RunOptions } from "../query.ts";
import { authorize, type RuleOf } from "./dbauthz.ts";
import { nilUuid, user, workspace } from "./kinds.ts";
import { NotAuthorized } from "./not-authorized.ts";
import { arg, row, type Rule } from "./rule.ts";
import { rules } from "./rules.ts";

const at = new Date("2026-01-02T03:04:05.678Z");

function ctxOf(actor: Subject, signal: AbortSignal = new AbortController().signal): Ctx {
  return newCtx({ actor, signal, log: discardLogger, requestId: nilUuid, clock: realClock });
}

const table = newRoleTable();
function subject(id: string, roles: readonly string[], scope = scopeAll): Subject {
  const common = { id, type: "user", friendlyName: "somebody", groups: [], scopes: ["coder:all"] };
  return table.subject({ ...common, roles, scope });
}

function insertUser(store: Store, username: string) {
  return store.insertUser({
    id: cryptoRand.uuid(),
    email: `${username}@example.com`,
    username,
    name: "",
    avatarUrl: "",
    status: "active",
    loginType: "password",
    rbacRoles: [],
    hashedPassword: Buffer.alloc(0),
    isServiceAccount: false,
    createdAt: at,
    updatedAt: at,
  });
}

/** The real store, counting what reaches it. */
function counted(store: Store): { readonly store: Store; readonly ran: string[] } {
  const ran: string[] = [];
  const proxy = new Proxy(store, {
    get(target, name) {
      if (name !== "run") return Reflect.get(target, name, target);
      return (query: AnyQuery, given: never, options?: RunOptions) => {
        ran.push(query.name);
        return target.run(query, given, options);
      };
    },
  });
  return { store: proxy, ran };
}

describe("authorize", () => {
  it("gives a row to who may read it, and not found to others, the same as for a missing one", async (t) => {
    const { store } = await newDb(t);
    const checked = authorize(store, rules);
    const ada = await insertUser(store, "ada");
    const self = ctxOf(subject(ada.id, ["member"]));
    assert.equal((await checked.getUserById(self, { id: ada.id })).username, "ada");
    const other = ctxOf(subject(cryptoRand.uuid(), ["member"]));
    const refused: unknown = await checked
      .getUserById(other, { id: ada.id })
      .catch((error: unknown) => error);
    const missing: unknown = await checked
      .getUserById(other, { id: cryptoRand.uuid() })
      .catch((error: unknown) => error);
    assert.ok(refused instanceof NotAuthorized && missing instanceof NotFound);
    assert.equal(refused.message, missing.message);
    assert.equal(refused.status, missing.status);
  });

  it("refuses before the query where the argument decides", async (t) => {
    const { store, ran } = counted((await newDb(t)).store);
    const checked = authorize(store, rules);
    const member = ctxOf(subject(cryptoRand.uuid(), ["member"]));
    await assert.rejects(
      checked.updateUserDeletedById(member, { id: cryptoRand.uuid(), updatedAt: at }),
      NotFound,
    );
    assert.deepEqual(ran, []);
  });

  it("narrows lists in SQL, adds nothing for who sees all, and asks nothing for who sees none", async (t) => {
    const { store: real } = await newDb(t);
    const org = await real.getDefaultOrganization({});
    const { store, ran } = counted(real);
    const checked = authorize(store, rules);
    const owner = ctxOf(subject(cryptoRand.uuid(), ["owner", "member"]));
    const inside = ctxOf(subject(cryptoRand.uuid(), ["member", `organization-member:${org.id}`]));
    const outside = ctxOf(subject(cryptoRand.uuid(), ["member"]));
    assert.equal((await checked.getOrganizations(owner, {})).length, 1);
    assert.equal((await checked.getOrganizations(inside, {})).length, 1);
    assert.deepEqual(ran, ["getOrganizations", "getOrganizations"]);
    assert.deepEqual(await checked.getOrganizations(outside, {}), []);
    assert.equal(ran.length, 2);
  });

  it("post rules leave out what may not be read", async (t) => {
    const { store } = await newDb(t);
    const ada = await insertUser(store, "ada");
    const bob = await insertUser(store, "bob");
    const self = ctxOf(subject(ada.id, ["member"]));
    const seen = await authorize(store, rules).getUsersByIds(self, { ids: [ada.id, bob.id] });
    assert.deepEqual(
      seen.map(({ username }) => username),
      ["ada"],
    );
  });

  it("a transaction is authorized too, and its messages wait for the commit", async (t) => {
    const { store } = await newDb(t);
    const checked = authorize(store, rules);
    const ada = await insertUser(store, "ada");
    const ctx = ctxOf(actors.system);
    const order: string[] = [];
    await checked.inTx(ctx, {}, async (tx) => {
      await tx.updateUserStatus(ctx, { id: ada.id, status: "suspended", updatedAt: at });
      tx.afterCommit(async () => {
        order.push((await checked.getUserById(ctx, { id: ada.id })).status);
      });
      await assert.rejects(tx.getUserById(ctxOf(actors.nobody), { id: ada.id }), NotFound);
    });
    assert.deepEqual(order, ["suspended"]);
  });

  it("a scope limits whatever the roles allow", async (t) => {
    const { store } = await newDb(t);
    const ada = await insertUser(store, "ada");
    const narrow = subject(ada.id, ["owner", "member"], tokenScope(["workspace:read"]));
    await assert.rejects(authorize(store, rules).getUserById(ctxOf(narrow), { id: ada.id }), NotFound);
  });

  it("has no key for the owner of prebuilt workspaces", async (t) => {
    const { store } = await newDb(t);
    const key = {
      id: "abcdefghij",
      hashedSecret: Buffer.alloc(0),
      userId: "c42fdf75-3097-471c-8c33-fb52454d81c0",
      loginType: "token",
      tokenName: "x",
      scopes: ["coder:all"],
      allowList: ["*:*"],
      lifetimeSeconds: 60,
      ipAddress: "127.0.0.1",
      createdAt: at,
      updatedAt: at,
      expiresAt: at,
    } as const;
    await assert.rejects(authorize(store, rules).insertApiKey(ctxOf(actors.system), key), NotFound);
  });
});

describe("the type of a rule", () => {
  it("fits the query's argument and rows only", () => {
    const good: RuleOf<AllQueries["getUserById"]> = row("read", user);
    // @ts-expect-error a user has no workspace's columns
    const wrongRow: RuleOf<AllQueries["getUserById"]> = row("read", workspace);
    // @ts-expect-error the argument has no owner
    const wrongArg: RuleOf<AllQueries["getUserById"]> = arg("read", workspace);
    assert.equal(new Set([good, wrongRow, wrongArg]).size, 3);
  });
});

describe("every query", () => {
  const list = Object.entries<AnyQuery>(queries).map(([name, query]) => ({ name, query }));
  const ruleOf = new Map<string, Pick<Rule<never, never>, "form" | "needs" | "why">>(Object.entries(rules));
  const reads = new Set(["row", "post", "filter"]);

  it("is in the golden of rules, with a reason where no object decides", () => {
    const lines = list.map(({ name, query }) => {
      const rule = ruleOf.get(name);
      assert.ok(rule, `${name} has no rule`);
      assert.equal(
        rule.form === "filter",
        query.filter !== undefined,
        `${name}: filter rule and @authorize_filter`,
      );
      const needs = query.filter ? `${query.filter.resource}:${rule.needs}` : rule.needs;
      return `${name} | ${rule.form} | ${needs}${rule.why === undefined ? "" : ` | ${rule.why}`}`;
    });
    assert.deepEqual(
      [...ruleOf].filter(([, { form, why }]) => ["system", "open", "internal"].includes(form) && !why),
      [],
    );
    golden(join(import.meta.dirname, "testdata/rules.golden"), `${lines.toSorted().join("\n")}\n`);
  });

  it("changes are never authorized by the row that comes back", () => {
    const late = list.filter(({ name, query }) => {
      const changes = /^\s*(?:--.*\n)*\s*(?:INSERT|UPDATE|DELETE|WITH[\s\S]*\b(?:INSERT|UPDATE|DELETE)\b)/i;
      return changes.test(query.sql) && reads.has(ruleOf.get(name)?.form ?? "");
    });
    assert.deepEqual(
      late.map(({ name }) => name),
      [],
    );
  });

  it("runs for nobody without an actor's rights, and not at all once aborted", async (t) => {
    const { store, ran } = counted((await newDb(t)).store);
    const values = await sampleArguments(t);
    const checked = authorize(store, rules);
    const ended = AbortSignal.abort(new Error("gone"));
    for (const { name } of list) {
      const method: unknown = Reflect.get(checked, name);
      assert.ok(typeof method === "function");
      const given = values.get(name);
      ran.length = 0;
      const answer: unknown = await Promise.resolve(method.call(checked, ctxOf(actors.nobody), given)).catch(
        (error: unknown) => error,
      );
      const empty =
        answer === undefined || (Array.isArray(answer) && answer.length === 0) || isCountZero(answer);
      assert.ok(answer instanceof NotFound || empty, `${name} answered nobody: ${String(answer)}`);
      if (!reads.has(ruleOf.get(name)?.form ?? "")) {
        assert.ok(answer instanceof NotFound, `${name} did not refuse`);
        assert.ok(!ran.includes(name), `${name} ran for nobody`);
      }
      ran.length = 0;
      await assert.rejects(Promise.resolve(method.call(checked, ctxOf(actors.system, ended), given)), /gone/);
      assert.deepEqual(ran, [], `${name} ran after the end`);
    }
  });
});

function isCountZero(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "count" in answer && answer.count === 0;
}

/** An argument that each query accepts, by what PostgreSQL says of its parameters. */
async function sampleArguments(t: TestContext): Promise<ReadonlyMap<string, Record<string, unknown>>> {
  const connection = await newConnection(t);
  const client = new pg.Client(clientConfig(connection));
  await client.connect();
  const { rows: labels } = await client.query<{ type: string; label: string }>(
    "SELECT DISTINCT ON (enumtypid) enumtypid::regtype::text AS type, enumlabel AS label FROM pg_enum",
  );
  const enums = new Map(labels.map(({ type, label }) => [type, label]));
  const out = new Map<string, Record<string, unknown>>();
  for (const [name, query] of Object.entries<AnyQuery>(queries)) {
    const text = query.sql.replace("/*authorize_filter*/", "");
    await client.query(`PREPARE probe AS ${text}`);
    const { rows } = await client.query<{ types: string[] }>(
      "SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = 'probe'",
    );
    await client.query("DEALLOCATE probe");
    const types = rows[0]?.types ?? [];
    out.set(
      name,
      Object.fromEntries(
        query.params.map((param, at) => [param, enums.get(types[at] ?? "") ?? sample(types[at] ?? "")]),
      ),
    );
  }
  await client.end();
  return out;
}

function sample(type: string): unknown {
  if (type.endsWith("[]")) return [];
  if (type === "uuid") return cryptoRand.uuid();
  if (type === "boolean") return false;
  if (type.startsWith("timestamp")) return at;
  if (type === "jsonb") return {};
  if (type === "bytea") return Buffer.alloc(0);
  if (/^(?:integer|bigint|smallint|double precision|real|numeric)$/.test(type)) return 1;
  if (type === "inet") return "127.0.0.1";
  if (/^(?:text|character varying)/.test(type)) return "x";
  return null;
}
