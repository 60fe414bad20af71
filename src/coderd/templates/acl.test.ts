import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { templates } from "#codersdk/templates.ts";
import { templateversions } from "#codersdk/templateversions.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import {
  awaitBuild,
  awaitTemplateVersionJobCompleted,
  createEchoTemplate,
  createTemplateVersion,
  createWorkspace,
} from "../coderdtest/builds.ts";
import { newServer, type Person } from "../coderdtest/coderdtest.ts";

function refused(status: number, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, status);
    assert.match(`${error.message} ${error.detail ?? ""} ${JSON.stringify(error.validations)}`, message);
    return true;
  };
}

test("access lists: who may use a template, told and set by who may change it", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const template = await createEchoTemplate(owner);
  const params = { template: template.id };
  const set = (who: Person, users: Record<string, string>, groups: Record<string, string> = {}) =>
    who.client.call(templates.setAcl, { params, body: { user_perms: users, group_perms: groups } });
  const before = await owner.client.call(templates.acl, { params });
  assert.deepEqual(
    before.group.map(({ id, role }) => [id, role]),
    [[owner.organizationId, "use"]],
  );
  await set(owner, { [member.id]: "admin" }, { [owner.organizationId]: "" });
  const after = await member.client.call(templates.acl, { params });
  assert.deepEqual(
    after.users.map(({ id, role }) => [id, role]),
    [[member.id, "admin"]],
  );
  assert.deepEqual(after.group, []);
  const other = await server.createAnotherUser();
  await assert.rejects(other.client.call(templates.get, { params }), refused(404, /./));
  await set(member, { [other.id]: "use" });
  await other.client.call(templates.get, { params });
  await assert.rejects(other.client.call(templates.acl, { params }), refused(404, /./));
  await assert.rejects(set(other, { [other.id]: "admin" }), refused(404, /./));
  await assert.rejects(set(owner, { [zeroUuid]: "use" }), refused(400, /user_perms/));
  await assert.rejects(set(owner, {}, { [owner.organizationId]: "boss" }), refused(400, /group_perms/));
  const available = await owner.client.call(templates.aclAvailable, { params });
  assert.equal(available.users.length, 3);
  assert.equal(available.groups.length, 1);
});

test("a template that requires its active version: members start no other, and say so before they update", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const template = await createEchoTemplate(owner);
  const { id, latest_build: first } = await createWorkspace(member, template.id);
  await awaitBuild(member, first.id);
  const asks = { graph: { parameters: [{ name: "zone", type: "string", mutable: true, required: true }] } };
  const next = await createTemplateVersion(owner, asks, { templateId: template.id });
  await awaitTemplateVersionJobCompleted(owner, next.id);
  const params = { template: template.id };
  await owner.client.call(templates.promote, { params, body: { id: next.id } });
  await owner.client.call(templates.update, { params, body: { require_active_version: true } });
  const start = (who: Person, versionId: string, values: Record<string, string> = {}) =>
    who.client.call(workspaces.createBuild, {
      params: { workspace: id },
      body: {
        transition: "start",
        template_version_id: versionId,
        template_version_preset_id: zeroUuid,
        rich_parameter_values: Object.entries(values).map(([name, value]) => ({ name, value })),
      },
    });
  await assert.rejects(start(member, zeroUuid), refused(403, /active version/));
  await assert.rejects(
    createWorkspace(member, zeroUuid, { template_version_id: template.active_version_id }),
    refused(403, /active version/),
  );
  const resolve = () => member.client.call(workspaces.resolveAutostart, { params: { workspace: id } });
  assert.deepEqual(await resolve(), { parameter_mismatch: true });
  await assert.rejects(start(member, next.id), refused(400, /zone/));
  await awaitBuild(member, (await start(member, next.id, { zone: "eu" })).id);
  assert.deepEqual(await resolve(), { parameter_mismatch: false });
  await awaitBuild(owner, (await start(owner, template.active_version_id)).id);
});

test("tags of a template choose the daemon: read at the upload, and again for each build", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const tags = (text: string) => `
data "coder_parameter" "zone" {
  name    = "zone"
  mutable = true
  default = ""
}
data "coder_workspace_tags" "tags" {
  tags = ${text}
}
`;
  const bad = createTemplateVersion(owner, { files: { "main.tf": tags('{ scope = "user" }') } });
  await assert.rejects(bad, refused(400, /scope/));
  const unknown = createTemplateVersion(owner, {
    files: { "main.tf": tags("{ zone = data.coder_workspace.me.id }") },
  });
  await assert.rejects(unknown, refused(400, /zone/));
  const tagged = await createTemplateVersion(owner, { files: { "main.tf": tags('{ zone = "eu" }') } });
  assert.deepEqual({ ...tagged.job.tags }, { scope: "organization", owner: "", zone: "eu" });
});

test("a starter template becomes a version by its name", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const examples = await owner.client.call(templates.examples, {});
  assert.ok(examples.some(({ id }) => id === "local"));
  const create = (exampleId: string) =>
    owner.client.call(templateversions.create, {
      params: { organization: owner.organizationId },
      body: {
        storage_method: "file",
        file_id: zeroUuid,
        example_id: exampleId,
        provisioner: "terraform",
        template_id: zeroUuid,
        tags: {},
      },
    });
  const [one, two] = [await create("local"), await create("local")];
  assert.equal(one.job.file_id, two.job.file_id);
  await assert.rejects(create("no-such"), refused(400, /no-such/));
});

test("a changed schedule reaches running workspaces", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const template = await createEchoTemplate(owner);
  const made = await createWorkspace(owner, template.id, {
    autostart_schedule: "0 8 * * *",
    ttl_ms: 3_600_000,
  });
  const build = await awaitBuild(owner, made.latest_build.id);
  const params = { template: template.id };
  const read = () => owner.client.call(workspaces.get, { params: { workspace: made.id } });
  const require = (days: string[]) =>
    owner.client.call(templates.update, {
      params,
      body: { autostop_requirement: { days_of_week: days, weeks: 1 } },
    });
  await require(["tuesday", "friday"]);
  const bound = (await read()).latest_build;
  assert.ok(bound.max_deadline);
  assert.deepEqual(bound.deadline, build.deadline);
  await require([]);
  assert.equal((await read()).latest_build.max_deadline, null);
  await owner.client.call(templates.update, {
    params,
    body: { autostart_requirement: { days_of_week: [] } },
  });
  assert.equal((await read()).next_start_at, null);
  const days = {
    days_of_week: ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
  };
  await owner.client.call(templates.update, { params, body: { autostart_requirement: days } });
  assert.equal((await read()).next_start_at?.getUTCHours(), 8);
  await owner.client.call(templates.update, { params, body: { allow_user_autostop: false } });
  assert.equal((await read()).latest_build.deadline, null);
});
