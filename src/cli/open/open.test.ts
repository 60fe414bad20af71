import assert from "node:assert/strict";
import { test } from "node:test";
import { apikeys } from "#codersdk/apikeys.ts";
import { liveWorkspace } from "../clitest/live.ts";

test("open vscode: prints a link where nothing opens it, and leaves no key behind", async (t) => {
  const ws = await liveWorkspace(t);
  const before = (await ws.owner.client.call(apikeys.tokens, { params: { user: "me" } })).length;
  const done = await ws.run(["open", "vscode", ws.name, "/srv/a b", "--test.open-error"]);
  assert.equal(done.status, 0, done.stderr);
  const link = new URL(done.stdout.trim());
  assert.equal(link.href.split("?")[0], "vscode://coder.coder-remote/open");
  assert.deepEqual(Array.from(link.searchParams), [
    ["agent", ws.scene.agent.name],
    ["folder", "/srv/a b"],
    ["owner", ws.owner.username],
    ["url", ws.server.url],
    ["workspace", ws.name],
  ]);
  const after = (await ws.owner.client.call(apikeys.tokens, { params: { user: "me" } })).length;
  assert.equal(after, before);

  const kept = await ws.run(["open", "vscode", ws.name, "--generate-token"]);
  const token = new URL(kept.stdout.trim()).searchParams.get("token") ?? "";
  assert.match(token, /^[0-9A-Za-z]{10}-[0-9A-Za-z]{22}$/);
  const inside = await ws.run(["open", "vscode", ws.name], { env: { CODER: "true" } });
  assert.equal(new URL(inside.stdout.trim()).searchParams.has("token"), false);
  const below = await ws.run(["open", "vscode", ws.name, "../../etc"], { env: { CODER: "true" } });
  assert.match(below.stderr, /the agent has no folder yet/);
});
