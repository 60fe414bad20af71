import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { describe, it } from "node:test";
import { MockClock } from "#quartz/mock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually } from "#testutil/testutil.ts";
import * as dbgen from "../dbgen/dbgen.ts";
import { workspaceAgentLog, workspaceAgentStat } from "../dbgen/workspaces.ts";
import { addBuild, workspaceScene } from "../dbfake/dbfake.ts";
import { newDb } from "../dbtestutil/dbtestutil.ts";
import { query } from "../query.ts";
import { Purger, purgeOnce } from "./dbpurge.ts";

const count = (table: string) =>
  query<"one", object, { readonly n: number }>({
    name: `count_${table}`,
    kind: "one",
    sql: `SELECT count(*) AS n FROM ${table}`,
    params: [],
    columns: { n: "number" },
  });

const daysBefore = (clock: MockClock, days: number) => new Date(clock.now().getTime() - days * 86_400_000);

describe("purgeOnce", () => {
  it("deletes what is old enough and keeps the rest", async (t) => {
    const { store } = await newDb(t);
    const clock = new MockClock();
    for (const days of [8, 6, -1]) await dbgen.apiKey(store, { expiresAt: daysBefore(clock, days) });
    await dbgen.provisionerDaemon(store, { lastSeenAt: daysBefore(clock, 8) });
    await dbgen.provisionerDaemon(store, { lastSeenAt: null, createdAt: daysBefore(clock, 8) });
    await dbgen.provisionerDaemon(store, {
      lastSeenAt: daysBefore(clock, 6),
      createdAt: daysBefore(clock, 90),
    });
    await workspaceAgentStat(store, { createdAt: daysBefore(clock, 181) });
    await workspaceAgentStat(store, { createdAt: daysBefore(clock, 179) });
    await purgeOnce({ store, clock, log: discardLogger });
    assert.deepEqual(await store.run(count("api_keys"), {}), { n: 2 });
    assert.deepEqual(await store.run(count("provisioner_daemons"), {}), { n: 1 });
    assert.deepEqual(await store.run(count("workspace_agent_stats"), {}), { n: 1 });
  });

  it("deletes agent logs of earlier builds only, however old the latest build is", async (t) => {
    const { store } = await newDb(t);
    const clock = new MockClock();
    const old = { lastConnectedAt: daysBefore(clock, 30), logsLength: 6 };
    const scene = await workspaceScene(store, { agent: old });
    await workspaceAgentLog(store, { agentId: scene.agent.id });
    await purgeOnce({ store, clock, log: discardLogger });
    assert.deepEqual(await store.run(count("workspace_agent_logs"), {}), { n: 1 });
    const next = await addBuild(store, {
      scene,
      workspace: scene.workspace,
      build: { buildNumber: 2 },
      agent: old,
    });
    await workspaceAgentLog(store, { agentId: next.agent.id });
    await purgeOnce({ store, clock, log: discardLogger });
    assert.deepEqual(await store.run(count("workspace_agent_logs"), {}), { n: 1 });
  });

  it("leaves the work to the replica that has the lock", async (t) => {
    const { store } = await newDb(t);
    const clock = new MockClock();
    // As if on another replica: not as part of the transaction below.
    const outside = AsyncResource.bind((fn: () => Promise<void>) => fn());
    await dbgen.apiKey(store, { expiresAt: daysBefore(clock, 8) });
    const purge = () => purgeOnce({ store, clock, log: discardLogger });
    await store.inTx({}, async (tx) => {
      await tx.lock("dbpurge");
      await outside(purge);
      assert.deepEqual(await tx.run(count("api_keys"), {}), { n: 1 });
    });
    await purge();
    assert.deepEqual(await store.run(count("api_keys"), {}), { n: 0 });
  });
});

describe("Purger", () => {
  it("runs every ten minutes until it is closed", async (t) => {
    const { store } = await newDb(t);
    const clock = new MockClock();
    await using _ = Purger.start({ store, clock, log: discardLogger });
    await dbgen.apiKey(store, { expiresAt: daysBefore(clock, 8) });
    await clock.advance(10 * 60_000 - 1);
    assert.deepEqual(await store.run(count("api_keys"), {}), { n: 1 });
    await clock.advance(1);
    await eventually("the purge", async () => (await store.run(count("api_keys"), {})).n === 0);
  });
});
