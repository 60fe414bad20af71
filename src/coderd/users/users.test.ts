import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { users } from "#codersdk/users.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { newServer, testPassword } from "../coderdtest/coderdtest.ts";
import { newCtx } from "../ctx.ts";
import { actors } from "../rbac/actors.ts";
import { checkSetup } from "./firstuser.ts";

/** The answer must be this status. */
export const fails = (status: number, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ClientError, String(error));
  assert.equal(error.status, status, error.message);
  if (message !== undefined) assert.match(error.message, message);
  return true;
};

const me = { params: { user: "me" } };

test("the first user is made once, signs in, and sees himself", async (t) => {
  const server = await newServer(t);
  await assert.rejects(server.client.call(users.hasFirstUser), fails(404));
  const owner = await server.createFirstUser();
  await server.client.call(users.hasFirstUser);
  await assert.rejects(server.createFirstUser(), fails(409));
  const user = await owner.client.call(users.get, me);
  assert.equal(user.id, owner.id);
  assert.deepEqual(user.roles, [{ name: "owner", display_name: "Owner" }]);
  assert.deepEqual(user.organization_ids, [owner.organizationId]);
});

test("strangers from other machines need the set-up secret", () => {
  const deps = { setupSecret: "s3cret" };
  for (const ip of ["127.0.0.1", "127.9.9.9", "::1"]) checkSetup(deps, ip, "");
  checkSetup(deps, "10.0.0.7", "s3cret");
  for (const given of ["", "wrong"]) {
    assert.throws(() => checkSetup(deps, "10.0.0.7", given), /set-up secret/);
  }
});

test("failed sign-ins on an account are in the audit log", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  await assert.rejects(server.login(owner.email, "wrong"), fails(401));
  await assert.rejects(server.login("nobody@test.invalid", "wrong"), fails(401));
  const ctx = newCtx({
    actor: actors.system,
    signal: t.signal,
    log: discardLogger,
    requestId: owner.id,
    clock: realClock,
  });
  const rows = await server.coderd.store.getAuditLogsOfResource(ctx, { resourceId: owner.id });
  assert.deepEqual(
    rows
      .map(({ l }) => `${l.action} ${l.resourceType} ${l.statusCode}`)
      .filter((row) => row.includes(" user "))
      .toSorted(),
    ["create user 201", "login user 401"],
  );
});

test("two first users at once: one wins", async (t) => {
  const server = await newServer(t);
  const results = await Promise.allSettled(
    ["a", "b", "c"].map((username) =>
      server.client.call(users.createFirstUser, {
        body: { email: `${username}@test.invalid`, username, password: testPassword },
      }),
    ),
  );
  assert.deepEqual(results.map(({ status }) => status).toSorted(), ["fulfilled", "rejected", "rejected"]);
});

test("a member sees himself only, and may change his name but not his user name", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const page = await member.client.call(users.list);
  assert.deepEqual(
    page.users.map(({ id }) => id),
    [member.id],
  );
  assert.equal(page.count, 1);
  await assert.rejects(member.client.call(users.get, { params: { user: owner.username } }), fails(404));
  const changed = await member.client.call(users.updateProfile, {
    ...me,
    body: { username: member.username, name: "New Name" },
  });
  assert.equal(changed.name, "New Name");
  await assert.rejects(
    member.client.call(users.updateProfile, { ...me, body: { username: "other", name: "" } }),
    fails(404),
  );
});

test("a new password ends all sessions, and the old one must be known", async (t) => {
  const server = await newServer(t);
  await server.createFirstUser();
  const member = await server.createAnotherUser();
  const change = (old_password: string, password: string) =>
    member.client.call(users.updatePassword, { ...me, body: { old_password, password } });
  await assert.rejects(change("wrong", "AnotherSecure!Password2"), fails(400));
  await assert.rejects(change(testPassword, testPassword), fails(400, /cannot match/));
  await assert.rejects(change(testPassword, "weak"), fails(400));
  await change(testPassword, "AnotherSecure!Password2");
  await assert.rejects(member.client.call(users.get, me), fails(401));
  await assert.rejects(server.login(member.email), fails(401));
  await server.login(member.email, "AnotherSecure!Password2");
});

test("suspension ends sessions and sign-in; activation needs a new one", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const target = { params: { user: member.username } };
  await assert.rejects(owner.client.call(users.suspend, me), fails(400, /yourself/));
  assert.equal((await owner.client.call(users.suspend, target)).status, "suspended");
  await assert.rejects(member.client.call(users.get, me), fails(401));
  await assert.rejects(server.login(member.email), fails(401, /suspended/));
  assert.equal((await owner.client.call(users.activate, target)).status, "active");
  await assert.rejects(member.client.call(users.get, me), fails(401));
  await server.login(member.email);
});

test("roles: who may give which", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const admin = await server.createAnotherUser({ roles: ["user-admin"] });
  const member = await server.createAnotherUser();
  const give = (by: typeof owner, user: string, roles: string[]) =>
    by.client.call(users.updateRoles, { params: { user }, body: { roles } });
  assert.deepEqual(
    (await give(owner, member.username, ["auditor"])).roles.map(({ name }) => name),
    ["auditor"],
  );
  await assert.rejects(give(admin, member.username, ["owner"]), fails(400, /owner/));
  await assert.rejects(give(admin, member.username, ["nosuch"]), fails(400, /nosuch/));
  await assert.rejects(give(owner, "me", []), fails(400, /own roles/));
  await assert.rejects(give(member, member.username, ["owner"]), fails(400, /own roles/));
  await assert.rejects(
    admin.client.call(users.updatePassword, {
      params: { user: owner.username },
      body: { password: "AnotherSecure!Password2" },
    }),
    fails(400, /owner/),
  );
});

test("a deleted user is gone: his sessions, his name, his memberships", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const target = { params: { user: member.username } };
  await assert.rejects(owner.client.call(users.delete, me), fails(403));
  await owner.client.call(users.delete, target);
  await assert.rejects(member.client.call(users.get, me), fails(401));
  await assert.rejects(owner.client.call(users.delete, target), fails(404));
  await server.createAnotherUser({ username: member.username, email: member.email });
  const old = await owner.client.call(users.get, { params: { user: member.id } });
  assert.deepEqual(old.organization_ids, []);
});

test("sign-in does not tell who exists", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  for (const email of [owner.email, "nobody@test.invalid"]) {
    await assert.rejects(server.login(email, "wrong"), fails(401, /Incorrect email or password/));
  }
});

test("signing out ends this session only", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const other = await server.login(owner.email);
  const { headers } = await other.answer(users.logout);
  assert.match(headers.get("set-cookie") ?? "", /coder_session_token=; Path=\/; Max-Age=0/);
  await assert.rejects(other.call(users.get, me), fails(401));
  await owner.client.call(users.get, me);
});
