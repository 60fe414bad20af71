import assert from "node:assert/strict";
import { liveWorkspace } from "./clitest/live.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createServer } from "node:http";
import { test } from "node:test";
import { newServer } from "#coderd/coderdtest/coderdtest.ts";
import { workspaceScene } from "#coderd/database/dbfake/dbfake.ts";
import { dialAgent } from "#codersdk/workspacesdk/dial.ts";
import { workspaceagents } from "#codersdk/workspaceagents.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { dialSsh, runCommand } from "#ssh/client.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { startCli } from "./clitest/clitest.ts";

test("coder agent: connects, becomes ready, answers ssh through the tailnet, and leaves", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const user = await server.db.store.getUserById({ id: owner.id });
  const scene = await workspaceScene(server.db.store, { owner: user });
  const dir = await tempDir(t);
  const stop = new AbortController();
  const run = startCli(["agent", "--log-dir", dir, "--script-data-dir", dir], {
    env: {
      HOME: dir,
      PATH: "/usr/bin:/bin",
      CODER_AGENT_URL: server.url,
      CODER_AGENT_TOKEN: scene.agent.authToken,
    },
    signal: stop.signal,
  });
  const params = { workspaceagent: scene.agent.id };
  const show = () => owner.client.call(workspaceagents.get, { params });
  const ready = await eventually("ready", async () => {
    const agent = await show();
    return agent.lifecycle_state === "ready" && agent.status === "connected" ? agent : undefined;
  });
  assert.equal(ready.health.healthy, true);
  {
    await using agent = await dialAgent({
      url: server.url,
      token: owner.token,
      agentId: scene.agent.id,
      clock: realClock,
      rand: cryptoRand,
      log: discardLogger,
      signal: AbortSignal.timeout(10_000),
    });
    const client = await dialSsh(await agent.ssh());
    const done = await runCommand(client, "echo $CODER_WORKSPACE_NAME; exit 7");
    assert.deepEqual([done.stdout, done.code], [`${scene.workspace.name}\n`, 7]);
    client.end();
  }
  stop.abort(new Error("SIGTERM"));
  const { status, stdout } = await run.result;
  assert.deepEqual([status, stdout], [0, ""]);
  assert.equal((await show()).lifecycle_state, "off");
  assert.match(await readFile(join(dir, "coder-agent.log"), "utf8"), /connected/u);
});

test("the server asks a connected agent for its ports, and passes on what it refuses", async (t) => {
  const ws = await liveWorkspace(t);
  const listener = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", () => resolve()));
  t.after(() => listener.close());
  const address = listener.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const params = { workspaceagent: ws.scene.agent.id };
  const { ports } = await ws.owner.client.call(workspaceagents.listeningPorts, { params });
  assert.ok(ports?.some((one) => one.port === port && one.network === "tcp"));
  await assert.rejects(ws.owner.client.call(workspaceagents.containers, { params }), { status: 403 });
  const stranger = await ws.server.createAnotherUser();
  await assert.rejects(stranger.client.call(workspaceagents.listeningPorts, { params }), { status: 404 });
});
