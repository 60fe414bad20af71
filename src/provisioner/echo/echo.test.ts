import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { discardLogger } from "#slog/slog.ts";
import { tempDir } from "#testutil/testutil.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { Provisioner, WorkspaceTransition } from "#rpc/gen/provisionersdk_pb.js";
import { SessionClient } from "#provisionersdk/client.ts";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { echoArchive, type EchoTemplate } from "./archive.ts";
import { echoEngine } from "./echo.ts";

async function start(
  t: TestContext,
  template: EchoTemplate,
): Promise<{ session: SessionClient; logs: string[] }> {
  const router = provisionerRouter({
    engine: echoEngine,
    workDir: await tempDir(t),
    clock: realClock,
    rand: cryptoRand,
    log: discardLogger,
  });
  const logs: string[] = [];
  const session = await SessionClient.start(drpcClient(Provisioner, memoryStreams(router)), {
    config: {},
    onLog: (line) => logs.push(line.output),
  });
  t.after(() => session[Symbol.asyncDispose]());
  assert.equal((await session.init({ templateSourceArchive: await echoArchive(template) })).error, "");
  return { session, logs };
}

test("answers come from the archive, logs before them", async (t) => {
  const { session, logs } = await start(t, {
    parse: { logs: ["reading"], answer: { templateVariables: [{ name: "v" }] } },
    graph: { resources: [{ name: "r", type: "t", dailyCost: 4 }] },
  });
  assert.equal((await session.parse()).templateVariables[0]?.name, "v");
  assert.deepEqual(logs, ["reading"]);
  assert.equal((await session.plan({})).dailyCost, 4);
  await session.apply({});
  assert.equal((await session.graph({})).resources[0]?.name, "r");
});

test("a transition's own answer goes before the common one", async (t) => {
  const { session } = await start(t, { plan: { dailyCost: 1 }, stop: { plan: { dailyCost: 2 } } });
  assert.equal(
    (await session.plan({ metadata: { workspaceTransition: WorkspaceTransition.STOP } })).dailyCost,
    2,
  );
  assert.equal(
    (await session.plan({ metadata: { workspaceTransition: WorkspaceTransition.START } })).dailyCost,
    1,
  );
});

test("a script without an answer waits for the cancel", async (t) => {
  const { session } = await start(t, { plan: { logs: ["waiting"], answer: "hang" } });
  const plan = session.plan({});
  await session.cancel();
  assert.equal((await plan).error, "canceled");
});

test("AI tasks set the flag", async (t) => {
  const { session } = await start(t, { graph: { aiTasks: [{ id: "x" }] } });
  await session.plan({});
  assert.equal((await session.graph({})).hasAiTasks, true);
});
