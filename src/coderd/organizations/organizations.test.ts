import assert from "node:assert/strict";
import { test } from "node:test";
import { authcheck } from "#codersdk/authcheck.ts";
import { ClientError } from "#codersdk/client.ts";
import { organizations } from "#codersdk/organizations.ts";
import { newServer } from "../coderdtest/coderdtest.ts";

const status = (want: number) => (error: unknown) => error instanceof ClientError && error.status === want;

test("the default organization has four names", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  for (const organization of [
    owner.organizationId,
    "coder",
    "default",
    "00000000-0000-0000-0000-000000000000",
  ]) {
    const found = await owner.client.call(organizations.get, { params: { organization } });
    assert.equal(found.id, owner.organizationId);
    assert.equal(found.is_default, true);
  }
  await assert.rejects(owner.client.call(organizations.get, { params: { organization: "zz" } }), status(404));
});

test("members come and go, and keep their user", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const at = { organization: "default", user: member.username };
  const names = async () =>
    (await owner.client.call(organizations.members, { params: { organization: "default" } })).map(
      (m) => m.username,
    );
  assert.ok((await names()).includes(member.username));
  await assert.rejects(
    member.client.call(organizations.removeMember, { params: { ...at, user: owner.username } }),
    status(404),
  );
  await assert.rejects(
    owner.client.call(organizations.removeMember, { params: { ...at, user: "me" } }),
    status(400),
  );
  await owner.client.call(organizations.removeMember, { params: at });
  assert.ok(!(await names()).includes(member.username));
  await assert.rejects(owner.client.call(organizations.removeMember, { params: at }), status(404));
  await owner.client.call(organizations.addMember, { params: at });
  await assert.rejects(owner.client.call(organizations.addMember, { params: at }), status(400));
  assert.ok((await names()).includes(member.username));
});

test("pages of members, put together, are the whole list", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  for (let n = 0; n < 5; n++) await server.createAnotherUser();
  const params = { organization: "default" };
  const whole = await owner.client.call(organizations.membersPage, { params });
  assert.equal(whole.count, 6);
  const seen: string[] = [];
  let after: string | undefined;
  for (;;) {
    const query = { limit: 2, ...(after === undefined ? {} : { after_id: after }) };
    const page = await owner.client.call(organizations.membersPage, { params, query });
    assert.equal(page.count, 6);
    if (page.members.length === 0) break;
    seen.push(...page.members.map((m) => m.user_id));
    after = seen.at(-1);
  }
  assert.deepEqual(
    seen,
    whole.members.map((m) => m.user_id),
  );
});

test("organization roles count in the next request", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const checks = {
    write: {
      object: { resource_type: "template", organization_id: owner.organizationId },
      action: "create",
    },
  };
  assert.deepEqual(
    { ...(await member.client.call(authcheck.check, { body: { checks } })) },
    { write: false },
  );
  const params = { organization: "default", user: member.id };
  const changed = await owner.client.call(organizations.updateMemberRoles, {
    params,
    body: { roles: ["organization-template-admin"] },
  });
  assert.equal(changed.roles[0]?.display_name, "Organization Template Admin");
  assert.deepEqual({ ...(await member.client.call(authcheck.check, { body: { checks } })) }, { write: true });
  await assert.rejects(
    owner.client.call(organizations.updateMemberRoles, { params, body: { roles: ["owner"] } }),
    status(400),
  );
  await assert.rejects(
    member.client.call(organizations.updateMemberRoles, {
      params: { ...params, user: "me" },
      body: { roles: [] },
    }),
    status(400),
  );
});

test("authcheck: unknown things are no, too many loads are an error", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const ask = (object: { resource_type: string; resource_id?: string; owner_id?: string }, action = "read") =>
    member.client.call(authcheck.check, { body: { checks: { a: { object, action } } } });
  assert.equal((await ask({ resource_type: "zzz" }))["a"], false);
  assert.equal((await ask({ resource_type: "user", resource_id: member.id }))["a"], true);
  assert.equal((await ask({ resource_type: "user", resource_id: owner.id }))["a"], false);
  await assert.rejects(ask({ resource_type: "" }), status(400));
  await assert.rejects(ask({ resource_type: "user", resource_id: "junk" }), status(400));
  const checks = Object.fromEntries(
    Array.from({ length: 11 }, (_, n) => [
      String(n),
      { object: { resource_type: "user", resource_id: member.id }, action: "read" },
    ]),
  );
  await assert.rejects(member.client.call(authcheck.check, { body: { checks } }), status(400));
});
