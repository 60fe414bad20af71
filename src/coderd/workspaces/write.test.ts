import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { workspacebuilds } from "#codersdk/workspacebuilds.ts";
import { type CreateWorkspaceBuildRequest, workspaces } from "#codersdk/workspaces.ts";
import { eventually, uniqueName } from "#testutil/testutil.ts";
import type { EchoTemplate } from "#provisioner/echo/archive.ts";
import {
  awaitBuild,
  createBuiltWorkspace,
  createEchoTemplate,
  createTemplateVersion,
  createWorkspace,
} from "../coderdtest/builds.ts";
import { newServer, type Person, type TestServer } from "../coderdtest/coderdtest.ts";

const withAgent: EchoTemplate = {
  apply: { state: Buffer.from("made") },
  graph: {
    resources: [
      {
        name: "main",
        type: "null_resource",
        agents: [{ name: "dev", operatingSystem: "linux", architecture: "amd64" }],
      },
    ],
  },
};

async function setup(t: TestContext): Promise<{ server: TestServer; owner: Person }> {
  const server = await newServer(t, { echo: true });
  return { server, owner: await server.createFirstUser() };
}

function build(
  { client }: Person,
  workspace: string,
  body: Partial<CreateWorkspaceBuildRequest> & Pick<CreateWorkspaceBuildRequest, "transition">,
) {
  return client.call(workspaces.createBuild, {
    params: { workspace },
    body: { template_version_id: zeroUuid, template_version_preset_id: zeroUuid, ...body },
  });
}

function refused(status: number, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, status);
    assert.match(`${error.message} ${JSON.stringify(error.validations)}`, message);
    return true;
  };
}

test("create, stop, start and delete a workspace; state passes from build to build", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner, withAgent);
  const made = await createWorkspace(owner, template.id);
  assert.equal(made.latest_build.status, "pending");
  assert.equal(made.latest_build.build_number, 1);
  const first = await awaitBuild(owner, made.latest_build.id);
  assert.equal(first.status, "running");
  assert.equal(first.resources?.[0]?.agents?.[0]?.name, "dev");
  const stopped = await awaitBuild(owner, (await build(owner, made.id, { transition: "stop" })).id);
  assert.equal(stopped.status, "stopped");
  assert.equal(stopped.build_number, 2);
  const started = await awaitBuild(owner, (await build(owner, made.id, { transition: "start" })).id);
  assert.equal(started.status, "running");
  const deleted = await awaitBuild(owner, (await build(owner, made.id, { transition: "delete" })).id);
  assert.equal(deleted.status, "deleted");
  await assert.rejects(
    owner.client.call(workspaces.get, { params: { workspace: made.id } }),
    refused(410, /deleted/),
  );
  await assert.rejects(
    build(owner, made.id, { transition: "start" }),
    refused(409, /Cannot start a deleted workspace/),
  );
});

test("a name is an owner's once, and free again after the delete", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  const name = uniqueName("ws");
  const first = await createWorkspace(owner, template.id, { name });
  await assert.rejects(createWorkspace(owner, template.id, { name }), refused(409, /already exists.*name/));
  await awaitBuild(owner, first.latest_build.id);
  await awaitBuild(owner, (await build(owner, first.id, { transition: "delete" })).id);
  await createWorkspace(owner, template.id, { name });
});

test("of many builds at once one is made, the others conflict", async (t) => {
  const { owner } = await setup(t);
  // Stops never end by themselves, so that no second one may follow the first.
  const template = await createEchoTemplate(owner, {
    stop: { apply: { logs: ["holding"], answer: "hang" } },
  });
  const { id } = await createBuiltWorkspace(owner, template.id);
  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () => build(owner, id, { transition: "stop" })),
  );
  const made = results.filter((result) => result.status === "fulfilled");
  assert.equal(made.length, 1);
  for (const result of results) {
    if (result.status === "rejected") refused(409, /already active/)(result.reason);
  }
});

test("parameters: defaults are stored, immutable ones keep their value, bad ones are named", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner, {
    graph: {
      parameters: [
        {
          name: "size",
          type: "number",
          mutable: true,
          defaultValue: "2",
          validationMin: 1,
          validationMax: 5,
        },
        { name: "zone", type: "string", mutable: false, required: true },
      ],
    },
  });
  await assert.rejects(createWorkspace(owner, template.id), refused(400, /zone.*required/));
  const given = { rich_parameter_values: [{ name: "zone", value: "eu" }] };
  const workspace = await createWorkspace(owner, template.id, given);
  await awaitBuild(owner, workspace.latest_build.id);
  const values = await owner.client.call(workspacebuilds.parameters, {
    params: { workspacebuild: workspace.latest_build.id },
  });
  assert.deepEqual(values, [
    { name: "size", value: "2" },
    { name: "zone", value: "eu" },
  ]);
  const change = (name: string, value: string) =>
    build(owner, workspace.id, { transition: "start", rich_parameter_values: [{ name, value }] });
  await assert.rejects(change("zone", "us"), refused(400, /zone.*Immutable/));
  await assert.rejects(change("size", "9"), refused(400, /size/));
  const next = await change("size", "3");
  await awaitBuild(owner, next.id);
});

test("state: only template managers read it, orphaning forgets it", async (t) => {
  const { server, owner } = await setup(t);
  const member = await server.createAnotherUser();
  const template = await createEchoTemplate(owner, withAgent);
  const workspace = await createBuiltWorkspace(member, template.id);
  const params = { workspacebuild: workspace.latest_build.id };
  const read = await fetch(`${server.url}/api/v2/workspacebuilds/${params.workspacebuild}/state`, {
    headers: { "Coder-Session-Token": owner.token },
  });
  assert.equal(await read.text(), "made");
  await assert.rejects(member.client.call(workspacebuilds.state, { params }), refused(404, /./));
  await assert.rejects(
    build(member, workspace.id, { transition: "stop", orphan: true }),
    refused(400, /Orphan/),
  );
  await assert.rejects(
    build(member, workspace.id, { transition: "delete", orphan: true }),
    refused(403, /template managers/),
  );
  const done = await awaitBuild(
    owner,
    (await build(owner, workspace.id, { transition: "delete", orphan: true })).id,
  );
  assert.equal(done.status, "deleted");
});

test("others see and touch nothing: another member's workspace is not found", async (t) => {
  const { server, owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  const workspace = await createBuiltWorkspace(owner, template.id);
  const member = await server.createAnotherUser();
  const params = { workspace: workspace.id };
  await assert.rejects(build(member, workspace.id, { transition: "stop" }), refused(404, /./));
  await assert.rejects(
    member.client.call(workspaces.setTtl, { params, body: { ttl_ms: null } }),
    refused(404, /./),
  );
  const builds = { workspacebuild: workspace.latest_build.id };
  for (const endpoint of [
    workspacebuilds.get,
    workspacebuilds.parameters,
    workspacebuilds.resources,
  ] as const) {
    await assert.rejects(member.client.call(endpoint, { params: builds }), refused(404, /./));
  }
  await assert.rejects(
    member.client.call(workspaces.create, {
      params: { user: owner.id },
      body: {
        template_id: template.id,
        template_version_id: zeroUuid,
        template_version_preset_id: zeroUuid,
        name: uniqueName("ws"),
      },
    }),
    refused(404, /./),
  );
});

test("a pending import refuses builds, a failed one says why", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  const workspace = await createBuiltWorkspace(owner, template.id);
  const held = await createTemplateVersion(
    owner,
    { plan: { logs: ["x"], answer: "hang" } },
    { templateId: template.id },
  );
  const use = (versionId: string) =>
    build(owner, workspace.id, { transition: "start", template_version_id: versionId });
  await assert.rejects(use(held.id), refused(406, /Wait for it to complete/));
  await assert.rejects(use(zeroUuid.replace(/0$/, "9")), refused(400, /does not exist/));
});

test("cancel: a running build ends, and its log tells of it", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner, { apply: { logs: ["holding"], answer: "hang" } });
  const workspace = await createWorkspace(owner, template.id);
  const params = { workspacebuild: workspace.latest_build.id };
  await eventually("the build runs", async () => {
    const lines = await owner.client.call(workspacebuilds.logs, { params });
    return Array.isArray(lines) && lines.some(({ output }) => output === "holding");
  });
  await assert.rejects(
    owner.client.call(workspacebuilds.cancel, { params, query: { expect_status: "pending" } }),
    refused(412, /not in the expected state/),
  );
  await owner.client.call(workspacebuilds.cancel, { params });
  await assert.rejects(owner.client.call(workspacebuilds.cancel, { params }), refused(400, /already/));
  const ended = await awaitBuild(owner, params.workspacebuild);
  assert.equal(ended.job.error, "canceled");
  assert.equal(ended.status, "failed");
});

test("settings: ttl, automatic updates, favourite, name", async (t) => {
  const { owner } = await setup(t);
  const template = await createEchoTemplate(owner);
  const { id } = await createBuiltWorkspace(owner, template.id);
  const params = { workspace: id };
  const { client } = owner;
  await assert.rejects(
    client.call(workspaces.setTtl, { params, body: { ttl_ms: 1000 } }),
    refused(400, /one minute/),
  );
  await client.call(workspaces.setTtl, { params, body: { ttl_ms: 3_600_000 } });
  await client.call(workspaces.setAutoupdates, { params, body: { automatic_updates: "always" } });
  await client.call(workspaces.favorite, { params });
  const after = await client.call(workspaces.get, { params });
  assert.equal(after.ttl_ms, 3_600_000);
  assert.equal(after.automatic_updates, "always");
  assert.equal(after.favorite, true);
  await assert.rejects(
    client.call(workspaces.rename, { params, body: { name: "other" } }),
    refused(400, /not allowed/),
  );
  await assert.rejects(
    client.call(workspaces.setAutostart, { params, body: { schedule: "often" } }),
    refused(400, /schedule/),
  );
});
