import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { templates } from "#codersdk/templates.ts";
import { workspacebuilds } from "#codersdk/workspacebuilds.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { uniqueName } from "#testutil/testutil.ts";
import {
  createBuiltWorkspace,
  createEchoTemplate,
  createWorkspace,
  awaitBuild,
} from "../coderdtest/builds.ts";
import { newServer, type Person, type TestServer } from "../coderdtest/coderdtest.ts";

async function setup(t: TestContext): Promise<{ server: TestServer; owner: Person }> {
  const server = await newServer(t, { echo: true });
  return { server, owner: await server.createFirstUser() };
}

function refused(status: number, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, status);
    assert.match(`${error.message} ${JSON.stringify(error.validations)}`, message);
    return true;
  };
}

const hourMs = 3_600_000;
/** The clock of these servers is the real one; deadlines are told relative to a time that a server wrote. */
const later = (time: Date | null, ms: number): Date => new Date((time?.getTime() ?? 0) + ms);

test("a build that completes has a deadline, which is put off within its limits", async (t) => {
  const { server, owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  const made = await createWorkspace(owner, template.id, { ttl_ms: 2 * hourMs });
  const build = await awaitBuild(owner, made.latest_build.id);
  const { deadline } = build;
  assert.deepEqual(deadline, later(build.job.completed_at ?? null, 2 * hourMs));
  const params = { workspace: made.id };
  const extend = (who: Person, to: Date) =>
    who.client.call(workspaces.extend, { params, body: { deadline: to } });
  const wanted = later(deadline, hourMs);
  await extend(owner, wanted);
  assert.deepEqual((await owner.client.call(workspaces.get, { params })).latest_build.deadline, wanted);
  await assert.rejects(extend(owner, later(deadline, -2 * hourMs)), refused(400, /30 minutes/));
  const other = await server.createAnotherUser();
  await assert.rejects(extend(other, wanted), refused(404, /./));
  // Without a time to live the running build stops by itself no more.
  await owner.client.call(workspaces.setTtl, { params, body: { ttl_ms: null } });
  await assert.rejects(extend(owner, wanted), refused(409, /manual/));
  const stop = await owner.client.call(workspaces.createBuild, {
    params,
    body: { transition: "stop", template_version_id: zeroUuid, template_version_preset_id: zeroUuid },
  });
  await awaitBuild(owner, stop.id);
  await assert.rejects(extend(owner, wanted), refused(409, /must be started/));
});

test("a template's required stop bounds the deadline", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  await owner.client.call(templates.update, {
    params: { template: template.id },
    body: { autostop_requirement: { days_of_week: ["monday", "thursday", "saturday"], weeks: 1 } },
  });
  const made = await createWorkspace(owner, template.id, { ttl_ms: 30 * 24 * hourMs });
  const { deadline, max_deadline: max } = await awaitBuild(owner, made.latest_build.id);
  assert.ok(max);
  assert.deepEqual(deadline, max);
  assert.equal(max.getUTCHours(), 0);
  const params = { workspace: made.id };
  const body = { deadline: later(max, hourMs) };
  await assert.rejects(owner.client.call(workspaces.extend, { params, body }), refused(400, /max deadline/));
});

test("autostart: a schedule tells when it starts next; the template may forbid it", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  const schedule = "CRON_TZ=UTC 30 9 * * 1-5";
  const made = await createWorkspace(owner, template.id, { autostart_schedule: schedule });
  await awaitBuild(owner, made.latest_build.id);
  const params = { workspace: made.id };
  const read = () => owner.client.call(workspaces.get, { params });
  const next = (await read()).next_start_at;
  assert.equal(next?.getUTCMinutes(), 30);
  await assert.rejects(
    createWorkspace(owner, template.id, { autostart_schedule: "0 8 1 * *" }),
    refused(400, /Autostart Schedule.*schedule/),
  );
  await owner.client.call(workspaces.setAutostart, { params, body: { schedule: undefined } });
  assert.equal((await read()).next_start_at, null);
  await owner.client.call(templates.update, {
    params: { template: template.id },
    body: { allow_user_autostart: false, allow_user_autostop: false },
  });
  const set = owner.client.call(workspaces.setAutostart, { params, body: { schedule } });
  await assert.rejects(set, refused(400, /not allowed/));
  const ttl = owner.client.call(workspaces.setTtl, { params, body: { ttl_ms: hourMs } });
  await assert.rejects(ttl, refused(400, /not allowed/));
  assert.equal((await read()).ttl_ms, 0);
});

test("dormancy: told once, undone by waking; a dormant workspace has no next start", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  await owner.client.call(templates.update, {
    params: { template: template.id },
    body: { time_til_dormant_autodelete_ms: 24 * hourMs },
  });
  const { id } = await createBuiltWorkspace(owner, template.id);
  const params = { workspace: id };
  const set = (dormant: boolean) => owner.client.call(workspaces.dormant, { params, body: { dormant } });
  await set(true);
  const asleep = await owner.client.call(workspaces.get, { params });
  assert.deepEqual(asleep.deleting_at, later(asleep.dormant_at, 24 * hourMs));
  await set(true);
  assert.deepEqual((await owner.client.call(workspaces.get, { params })).dormant_at, asleep.dormant_at);
  await set(false);
  const awake = await owner.client.call(workspaces.get, { params });
  assert.equal(awake.dormant_at, null);
  assert.equal(awake.deleting_at, null);
});

test("sharing: a user sees and stops what is shared with him, and nothing once it is not", async (t) => {
  const { server, owner } = await setup(t);
  const member = await server.createAnotherUser();
  const friend = await server.createAnotherUser();
  const template = await createEchoTemplate(owner);
  const { id } = await createBuiltWorkspace(member, template.id);
  const params = { workspace: id };
  const share = (who: Person, roles: Record<string, string>, groups: Record<string, string> = {}) =>
    who.client.call(workspaces.setAcl, { params, body: { user_roles: roles, group_roles: groups } });
  await share(member, { [friend.id]: "use" });
  const seen = await friend.client.call(workspaces.get, { params });
  assert.deepEqual(
    seen.shared_with?.map(({ id: who, roles }) => ({ who, roles })),
    [{ who: friend.id, roles: ["use"] }],
  );
  const acl = await friend.client.call(workspaces.acl, { params });
  assert.deepEqual(
    acl.users.map(({ id: who, role }) => ({ who, role })),
    [{ who: friend.id, role: "use" }],
  );
  await assert.rejects(share(friend, { [owner.id]: "use" }), refused(403, /not allowed/));
  await assert.rejects(share(member, { [friend.id]: "boss" }), refused(400, /user_roles/));
  await assert.rejects(share(member, { [zeroUuid]: "use" }), refused(400, /user_roles/));
  await assert.rejects(share(member, {}, { junk: "use" }), refused(400, /group_roles/));
  await share(member, {}, { [member.organizationId]: "use" });
  assert.equal((await friend.client.call(workspaces.acl, { params })).group[0]?.total_member_count, 3);
  await member.client.call(workspaces.clearAcl, { params });
  await assert.rejects(friend.client.call(workspaces.get, { params }), refused(404, /./));
});

test("timings of a build, for those who may read it", async (t) => {
  const { server, owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  const { id, latest_build: build } = await createBuiltWorkspace(owner, template.id);
  const none = { provisioner_timings: [], agent_script_timings: [], agent_connection_timings: [] };
  const params = { workspacebuild: build.id };
  assert.deepEqual(await owner.client.call(workspacebuilds.timings, { params }), none);
  assert.deepEqual(await owner.client.call(workspaces.timings, { params: { workspace: id } }), none);
  const other = await server.createAnotherUser({ username: uniqueName("other") });
  await assert.rejects(other.client.call(workspacebuilds.timings, { params }), refused(404, /./));
});
