/** What happens when pub/sub loses everything: it only takes longer. Every waiter also polls. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { WebSocket } from "ws";
import { workspaceagents } from "#codersdk/workspaceagents.ts";
import { workspacebuilds } from "#codersdk/workspacebuilds.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import { realClock } from "#quartz/clock.ts";
import { MockClock } from "#quartz/mock.ts";
import {
  awaitBuild,
  awaitTemplateVersionJobCompleted,
  createTemplate,
  createTemplateVersion,
  createWorkspace,
} from "./coderdtest/builds.ts";
import { newServer, type Person } from "./coderdtest/coderdtest.ts";
import { checkMessage, type Pubsub } from "./database/pubsub/pubsub.ts";

/** Takes messages and gives none, as if each were lost. */
const deaf: Pubsub = {
  async publish(channel, payload) {
    checkMessage(channel, payload);
  },
  async subscribe() {
    return { [Symbol.dispose]() {} };
  },
};

/** Lets the server's time run a few hundred times as fast as ours. */
function runTime(t: TestContext, clock: MockClock): void {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      await clock.advance(500);
      await realClock.sleep(1);
    }
  })();
  t.after(async () => {
    stop.abort();
    await running;
  });
}

/** Values of a stream until it ends, or until `enough`. */
function collect(
  person: Person,
  url: string,
  enough: (value: unknown) => boolean = () => false,
): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const seen: unknown[] = [];
    const socket = new WebSocket(url.replace("http", "ws"), {
      headers: { "Coder-Session-Token": person.token },
    });
    socket.on("message", (data: Buffer) => {
      const value: unknown = JSON.parse(data.toString());
      seen.push(value);
      if (enough(value)) socket.close();
    });
    socket.on("close", () => resolve(seen));
    socket.on("error", reject);
  });
}

test("templates are imported, workspaces built and followed although every message is lost", async (t) => {
  const clock = new MockClock(realClock.now().toISOString());
  const server = await newServer(t, { clock, echo: true, coderd: { pubsub: deaf } });
  const owner = await server.createFirstUser();
  runTime(t, clock);
  const lines = Array.from({ length: 5 }, (_, n) => `line ${n}`);
  const begin = clock.monotonic();
  const version = await createTemplateVersion(owner, {
    apply: { logs: lines, answer: {} },
    graph: { resources: [{ name: "dev", type: "null", agents: [{ name: "main" }] }] },
  });
  await awaitTemplateVersionJobCompleted(owner, version.id);
  const template = await createTemplate(owner, version.id);
  const workspace = await createWorkspace(owner, template.id);
  const { id } = workspace.latest_build;
  const follow = owner.client.urlOf(workspacebuilds.logs, {
    params: { workspacebuild: id },
    query: { follow: true },
  });
  const watch = owner.client.urlOf(workspaces.watchWs, { params: { workspace: workspace.id } });
  const [logs, states, build] = await Promise.all([
    collect(owner, follow),
    collect(owner, watch, (event) => JSON.stringify(event).includes('"status":"running"')),
    awaitBuild(owner, id),
  ]);
  assert.equal(build.status, "running");
  const outputs = logs.flatMap((line) =>
    typeof line === "object" && line !== null && "output" in line ? [line.output] : [],
  );
  assert.deepEqual(
    outputs.filter((output) => lines.includes(String(output))),
    lines,
  );
  assert.equal(
    new Set(outputs.filter((output) => output !== "")).size,
    outputs.filter((o) => o !== "").length,
  );
  assert.ok(states.length > 0);
  // Two acquisitions, the followers' polls: a few polls of 30 seconds, no timeout of minutes.
  const minutes = (clock.monotonic() - begin) / 60_000;
  assert.ok(minutes < 5, `${minutes} minutes`);
  const [agent] = build.resources.flatMap(({ agents }) => agents ?? []);
  assert.ok(agent);
  const seen = await owner.client.call(workspaceagents.get, { params: { workspaceagent: agent.id } });
  assert.equal(seen.status, "connecting");
});
