import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { apikeys } from "#codersdk/apikeys.ts";
import { ClientError } from "#codersdk/client.ts";
import { users } from "#codersdk/users.ts";
import { MockClock } from "#quartz/mock.ts";
import { newServer } from "../coderdtest/coderdtest.ts";
import { clientConfig } from "../database/connection.ts";

const me = { params: { user: "me" } };
const hourNs = 3_600_000_000_000;
const status = (want: number) => (error: unknown) => error instanceof ClientError && error.status === want;

test("a token is told once, works, is listed by name, and ends", async (t) => {
  const clock = new MockClock();
  const server = await newServer(t, { clock });
  await server.createFirstUser();
  const member = await server.createAnotherUser();
  assert.deepEqual(await member.client.call(apikeys.tokens, me), []);
  const make = (token_name: string, lifetime = 0) =>
    member.client.call(apikeys.createToken, { ...me, body: { token_name, lifetime } });
  const { key } = await make("b", 2 * hourNs);
  await make("a");
  const { key: unnamed } = await make("");
  assert.match(unnamed, /^[0-9A-Za-z]{10}-[0-9A-Za-z]{22}$/);
  const client = server.client.withToken(key);
  assert.equal((await client.call(users.get, me)).id, member.id);
  const listed = (await member.client.call(apikeys.tokens, me)) ?? [];
  assert.deepEqual(listed.map(({ token_name }) => token_name).slice(0, 2), ["a", "b"]);
  assert.doesNotMatch(JSON.stringify(listed), new RegExp(key.slice(11)));
  assert.deepEqual([listed[1]?.scope, listed[1]?.lifetime_seconds], ["all", 7200]);
  await clock.advance(2 * 3_600_000 + 1);
  await assert.rejects(client.call(users.get, me), status(401));
});

test("tokens cannot live longer than their owner's maximum, nor shorter than nothing", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const config = await owner.client.call(apikeys.tokenConfig, me);
  assert.equal(config.max_token_lifetime, 7 * 24 * hourNs);
  assert.equal((await member.client.call(apikeys.tokenConfig, me)).max_token_lifetime, 876_600 * hourNs);
  const make = (client: typeof owner.client, lifetime: number) =>
    client.call(apikeys.createToken, { ...me, body: { token_name: "", lifetime } });
  await assert.rejects(make(owner.client, 8 * 24 * hourNs), status(400));
  await assert.rejects(make(member.client, -1), status(400));
  await make(member.client, 8 * 24 * hourNs);
});

test("a name is given once, even by two at the same time", async (t) => {
  const server = await newServer(t);
  await server.createFirstUser();
  const member = await server.createAnotherUser();
  const make = () =>
    member.client.call(apikeys.createToken, { ...me, body: { token_name: "ci", lifetime: 0 } });
  const results = await Promise.allSettled([make(), make(), make()]);
  const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  assert.equal(refused.length, 2);
  for (const error of refused) {
    assert.ok(error instanceof ClientError && error.status === 409);
    assert.equal(error.validations[0]?.field, "name");
  }
});

test("a scope narrows what a token may do", async (t) => {
  const server = await newServer(t);
  await server.createFirstUser();
  const member = await server.createAnotherUser();
  const make = (scopes: string[], allow_list?: string[]) =>
    member.client.call(apikeys.createToken, {
      ...me,
      body: { token_name: "", lifetime: 0, scopes, allow_list },
    });
  const narrow = server.client.withToken((await make(["workspace:read"])).key);
  await assert.rejects(narrow.call(users.get, me), status(404));
  await assert.rejects(
    narrow.call(apikeys.createToken, { ...me, body: { token_name: "x", lifetime: 0 } }),
    status(404),
  );
  await assert.rejects(make(["nosuch:read"]), status(400));
  await assert.rejects(make(["workspace:read"], ["workspace:junk"]), status(400));
  await assert.rejects(
    make(
      ["workspace:read"],
      Array.from({ length: 129 }, () => "*:*"),
    ),
    status(400),
  );
});

test("keys are their owner's: others see and touch nothing, owners may make them for others", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const other = await server.createAnotherUser();
  const { key } = await member.client.call(apikeys.createToken, {
    ...me,
    body: { token_name: "t", lifetime: 0 },
  });
  const keyid = key.slice(0, 10);
  for (const user of ["me", member.username]) {
    const params = { user, keyid };
    await assert.rejects(other.client.call(apikeys.get, { params }), status(404));
    await assert.rejects(other.client.call(apikeys.delete, { params }), status(404));
    await assert.rejects(other.client.call(apikeys.expire, { params }), status(404));
  }
  const params = { user: "me", keyid };
  await member.client.call(apikeys.expire, { params });
  await member.client.call(apikeys.expire, { params });
  await assert.rejects(server.client.withToken(key).call(users.get, me), status(401));
  await member.client.call(apikeys.delete, { params });
  await assert.rejects(member.client.call(apikeys.delete, { params }), status(404));
  const made = await owner.client.call(apikeys.createToken, {
    params: { user: member.username },
    body: { token_name: "by-owner", lifetime: 0 },
  });
  assert.equal((await server.client.withToken(made.key).call(users.get, me)).id, member.id);
});

test("each change leaves its row in the audit log, without the secret", async (t) => {
  const server = await newServer(t);
  await server.createFirstUser();
  const member = await server.createAnotherUser();
  const { key } = await member.client.call(apikeys.createToken, {
    ...me,
    body: { token_name: "t", lifetime: 0 },
  });
  await member.client.call(apikeys.delete, { params: { user: "me", keyid: key.slice(0, 10) } });
  const pool = new pg.Client(clientConfig(server.db.connection));
  await pool.connect();
  const { rows } = await pool.query<{ kind: string; diff: unknown }>(
    "SELECT action::text || ' ' || resource_type::text AS kind, diff FROM audit_logs WHERE user_id = $1",
    [member.id],
  );
  await pool.end();
  const kinds = rows.map(({ kind }) => kind).toSorted();
  assert.deepEqual(kinds, ["create api_key", "delete api_key", "login api_key"]);
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(key.slice(11)));
});
