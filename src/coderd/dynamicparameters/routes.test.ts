import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import { ClientError } from "#codersdk/client.ts";
import { dynamicparameters } from "#codersdk/dynamicparameters.ts";
import { workspacebuilds } from "#codersdk/workspacebuilds.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import {
  awaitBuild,
  createEchoTemplate,
  createTemplateVersion,
  createWorkspace,
} from "../coderdtest/builds.ts";
import { newServer, type Person, type TestServer } from "../coderdtest/coderdtest.ts";

const main = `
data "coder_workspace_owner" "me" {}
data "coder_parameter" "name" {
  name    = "name"
  default = data.coder_workspace_owner.me.name
}
data "coder_parameter" "more" {
  count   = data.coder_parameter.name.value == "more" ? 1 : 0
  name    = "more"
  default = "m"
}
`;

async function setup(t: Parameters<typeof newServer>[0]) {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const template = await createEchoTemplate(owner, { files: { "main.tf": main } });
  return { server, owner, template };
}

const evaluate = (who: Person, versionId: string, ownerId: string, inputs: Record<string, string> = {}) =>
  who.client.call(dynamicparameters.evaluate, {
    params: { templateversion: versionId },
    body: { id: 7, inputs, owner_id: ownerId },
  });

test("a form answers to its values and to the owner; a build stores what the form gives", async (t) => {
  const { owner, template } = await setup(t);
  const version = template.active_version_id;
  const empty = await evaluate(owner, version, owner.id);
  assert.equal(empty.id, 0);
  assert.deepEqual(
    empty.parameters?.map(({ name, value }) => [name, value.value]),
    [["name", owner.username]],
  );
  const more = await evaluate(owner, version, owner.id, { name: "more" });
  assert.deepEqual(
    more.parameters?.map(({ name }) => name),
    ["more", "name"],
  );
  const workspace = await createWorkspace(owner, template.id, {
    rich_parameter_values: [{ name: "name", value: "more" }],
  });
  await awaitBuild(owner, workspace.latest_build.id);
  const params = { workspacebuild: workspace.latest_build.id };
  assert.deepEqual(await owner.client.call(workspacebuilds.parameters, { params }), [
    { name: "more", value: "m" },
    { name: "name", value: "more" },
  ]);
});

test("an owner that the caller may not know has no form", async (t) => {
  const { server, owner, template } = await setup(t);
  const member = await server.createAnotherUser();
  const version = template.active_version_id;
  for (const [who, ownerId] of [
    [owner, zeroUuid],
    [owner, "00000000-0000-4000-8000-00000000dead"],
  ] as const) {
    const { parameters, diagnostics } = await evaluate(who, version, ownerId);
    assert.equal(parameters, null);
    assert.equal(diagnostics[0]?.extra.code, "owner_not_found");
  }
  assert.equal((await evaluate(member, version, member.id)).parameters?.length, 1);
});

test("a version that is not imported has no form yet", async (t) => {
  const { owner } = await setup(t);
  const held = await createTemplateVersion(owner, { plan: { logs: ["x"], answer: "hang" } });
  await assert.rejects(evaluate(owner, held.id, owner.id), (error) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, 425);
    return true;
  });
});

function dial(server: TestServer, person: Person, versionId: string): WebSocket {
  const url = `${server.url.replace("http", "ws")}/api/v2/templateversions/${versionId}/dynamic-parameters`;
  return new WebSocket(url, { headers: { "Coder-Session-Token": person.token } });
}

test("a conversation: first the empty form, then an answer to each question, until nonsense ends it", async (t) => {
  const { server, owner, template } = await setup(t);
  const socket = dial(server, owner, template.active_version_id);
  t.after(() => socket.terminate());
  const next = async () => JSON.parse(String((await once(socket, "message"))[0]));
  assert.equal((await next()).id, -1);
  socket.send(JSON.stringify({ id: 3, inputs: { name: "more" } }));
  const answer = await next();
  assert.equal(answer.id, 3);
  assert.equal(answer.parameters.length, 2);
  socket.send("nonsense");
  const [code] = await once(socket, "close");
  assert.equal(code, 1001);
});
