import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { dialAgentApi, type AgentConnection } from "#codersdk/agentsdk/dial.ts";
import { workspaceagents } from "#codersdk/workspaceagents.ts";
import { newClient } from "#codersdk/client.ts";
import {
  Connection_Action,
  Connection_Type,
  Lifecycle_State,
  Log_Level,
  Startup_Subsystem,
  Timing_Stage,
  Timing_Status,
  UpdateAppStatusRequest_AppStatusState,
} from "#rpc/gen/agent_pb.js";
import { HandshakeError } from "#rpc/wsconn/dial.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { uuidBytes, uuidText } from "#tailnet/addresses.ts";
import { eventually } from "#testutil/testutil.ts";
import { newServer, type TestServer } from "../coderdtest/coderdtest.ts";
import { addBuild, workspaceScene, type WorkspaceScene } from "../database/dbfake/dbfake.ts";
import { type ConnectionLog, connectionLogColumns } from "../database/gen/models.gen.ts";
import { query } from "../database/query.ts";
import * as dbgen from "../database/dbgen/workspaces.ts";

interface Setup {
  readonly server: TestServer;
  readonly scene: WorkspaceScene;
  readonly dial: (token?: string) => Promise<AgentConnection>;
  readonly agent: () => Promise<Awaited<ReturnType<TestServer["db"]["store"]["getAgentForConnection"]>>>;
}

async function setup(t: TestContext): Promise<Setup> {
  const server = await newServer(t);
  const { store } = server.db;
  const owner = await server.createFirstUser();
  const user = await store.getUserById({ id: owner.id });
  const scene = await workspaceScene(store, { owner: user });
  const open: AgentConnection[] = [];
  t.after(() => {
    for (const connection of open) connection.close();
  });
  return {
    server,
    scene,
    agent: () => store.getAgentForConnection({ agentId: scene.agent.id }),
    async dial(token = scene.agent.authToken) {
      const connection = await dialAgentApi({ url: server.url, token, clock: realClock });
      open.push(connection);
      return connection;
    },
  };
}

test("a manifest holds the agent's own rows", async (t) => {
  const { dial, scene } = await setup(t);
  const { agent } = await dial();
  const manifest = await agent.getManifest({});
  assert.equal(uuidText(manifest.agentId), scene.agent.id);
  assert.equal(uuidText(manifest.workspaceId), scene.workspace.id);
  assert.equal(manifest.agentName, scene.agent.name);
  assert.equal(manifest.workspaceName, scene.workspace.name);
  assert.equal(manifest.ownerUsername, scene.owner.username);
});

test("who connects is refused for the right reason", async (t) => {
  const { server, scene } = await setup(t);
  const get = async (query: string, token: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`${server.url}/api/v2/workspaceagents/me/rpc?${query}`, {
      headers: { "Coder-Session-Token": token },
    });
    return { status: response.status, body: await response.text() };
  };
  assert.equal((await get("version=2.9", cryptoRand.uuid())).status, 401);
  assert.equal((await get("version=2.9", "not-a-uuid")).status, 401);
  const refused = await get("version=2.99", scene.agent.authToken);
  assert.equal(refused.status, 400);
  assert.match(refused.body, /server is at version 2\.9, behind requested minor version 2\.99/u);
  assert.match(
    (await get("version=3.0", scene.agent.authToken)).body,
    /behind requested major version 3\.0/u,
  );
  assert.match(
    (await get("version=1.0", scene.agent.authToken)).body,
    /version 1\.0 is no longer supported/u,
  );
  assert.match((await get("version=x", scene.agent.authToken)).body, /invalid version string: x/u);
});

test("connecting and leaving is written down and shown", async (t) => {
  const { server, scene, dial, agent } = await setup(t);
  const owner = await server.login(scene.owner.email);
  const show = () => owner.call(workspaceagents.get, { params: { workspaceagent: scene.agent.id } });
  assert.equal((await show()).status, "connecting");
  const connection = await dial();
  await eventually("connected", async () => (await show()).status === "connected");
  const first = (await agent()).a.firstConnectedAt;
  connection.close();
  await eventually("disconnected", async () => (await show()).status === "disconnected");
  assert.equal((await show()).health.reason, "agent has lost connection");
  await dial();
  await eventually("connected again", async () => (await show()).status === "connected");
  assert.deepEqual((await agent()).a.firstConnectedAt, first);
});

test("the token of an earlier build is refused", async (t) => {
  const { server, scene, dial } = await setup(t);
  await dial();
  await addBuild(server.db.store, { scene, workspace: scene.workspace, build: { buildNumber: 2 } });
  await assert.rejects(dial(), (error) => error instanceof HandshakeError && error.status === 401);
});

test("startup and lifecycle", async (t) => {
  const { dial, agent } = await setup(t);
  const { agent: api } = await dial();
  const startup = {
    version: "v2.34.5+x",
    expandedDirectory: "/home/u",
    subsystems: [Startup_Subsystem.EXECTRACE, Startup_Subsystem.ENVBOX, Startup_Subsystem.EXECTRACE],
  };
  await api.updateStartup({ startup });
  const { a } = await agent();
  assert.deepEqual(
    [a.version, a.apiVersion, a.expandedDirectory, a.subsystems],
    ["v2.34.5+x", "2.9", "/home/u", ["envbox", "exectrace"]],
  );
  await assert.rejects(api.updateStartup({ startup: { ...startup, version: "2.34" } }), /semver/u);
  const at = (seconds: number) => timestampFromDate(new Date(1_800_000_000_000 + seconds * 1000));
  await api.updateLifecycle({ lifecycle: { state: Lifecycle_State.STARTING, changedAt: at(0) } });
  await api.updateLifecycle({ lifecycle: { state: Lifecycle_State.READY, changedAt: at(5) } });
  const ready = (await agent()).a;
  assert.equal(ready.lifecycleState, "ready");
  assert.equal(ready.startedAt?.getTime(), 1_800_000_000_000);
  assert.equal(ready.readyAt?.getTime(), 1_800_000_005_000);
  await assert.rejects(
    api.updateLifecycle({ lifecycle: { state: Lifecycle_State.STATE_UNSPECIFIED } }),
    /unknown lifecycle/u,
  );
});

test("logs: stored in order, followed, bounded at 1 MiB", async (t) => {
  const { server, scene, dial, agent } = await setup(t);
  const { agent: api } = await dial();
  const source = uuidBytes(cryptoRand.uuid());
  const lines = ["one", "two \u0000 three"].map((output) => ({ output, level: Log_Level.WARN }));
  assert.equal((await api.batchCreateLogs({ logSourceId: source, logs: lines })).logLimitExceeded, false);
  await api.batchCreateLogs({
    logSourceId: new Uint8Array(16),
    logs: [{ output: "external", level: Log_Level.LEVEL_UNSPECIFIED }],
  });
  const owner = await server.login(scene.owner.email);
  const params = { workspaceagent: scene.agent.id };
  const stored = await owner.call(workspaceagents.logs, { params });
  assert.deepEqual(
    stored.map(({ output, level }) => [output, level]),
    [
      ["one", "warn"],
      ["two \u274C three", "warn"],
      ["external", "info"],
    ],
  );
  assert.equal(
    (await owner.call(workspaceagents.logs, { params, query: { after: stored[1]?.id ?? 0 } })).length,
    1,
  );
  const big = { output: "x".repeat(600_000), level: Log_Level.INFO };
  assert.equal((await api.batchCreateLogs({ logSourceId: source, logs: [big] })).logLimitExceeded, false);
  assert.equal((await api.batchCreateLogs({ logSourceId: source, logs: [big] })).logLimitExceeded, true);
  assert.equal((await api.batchCreateLogs({ logSourceId: source, logs: lines })).logLimitExceeded, true);
  const { a } = await agent();
  assert.equal(a.logsOverflowed, true);
  assert.ok(a.logsLength < 1_048_576);
});

test("concurrent batches never pass the bound together", async (t) => {
  const { dial, agent } = await setup(t);
  const connections = await Promise.all([dial(), dial(), dial(), dial()]);
  const logs = [{ output: "y".repeat(400_000), level: Log_Level.INFO }];
  const answers = await Promise.all(
    connections.map(({ agent: api }) =>
      api.batchCreateLogs({ logSourceId: uuidBytes(cryptoRand.uuid()), logs }),
    ),
  );
  assert.ok(answers.some(({ logLimitExceeded }) => logLimitExceeded));
  assert.equal((await agent()).a.logsLength % 400_000, 0);
  assert.ok((await agent()).a.logsLength <= 1_048_576);
});

test("another workspace's agent, script and app are out of reach", async (t) => {
  const { server, dial } = await setup(t);
  const other = await workspaceScene(server.db.store);
  const { agent: api } = await dial();
  const app = await dbgen.workspaceApp(server.db.store, {
    agentId: other.agent.id,
    healthcheckUrl: "http://x",
  });
  await assert.rejects(
    api.batchUpdateAppHealths({ updates: [{ id: uuidBytes(app.id), health: 3 }] }),
    new RegExp(`workspace app ID "${app.id}" not found`, "u"),
  );
  const timing = {
    scriptId: uuidBytes(cryptoRand.uuid()),
    start: timestampFromDate(new Date(1000)),
    end: timestampFromDate(new Date(2000)),
    exitCode: 0,
    stage: Timing_Stage.START,
    status: Timing_Status.OK,
  };
  await assert.rejects(api.scriptCompleted({ timing }), /not of this agent/u);
  await assert.rejects(
    api.scriptCompleted({ timing: { ...timing, start: timestampFromDate(new Date(3000)) } }),
    /cannot be after end time/u,
  );
  const stranger = await server.createAnotherUser();
  await assert.rejects(
    stranger.client.call(workspaceagents.get, { params: { workspaceagent: other.agent.id } }),
    /not found/iu,
  );
});

test("stats make rows in batches and count the workspace as used", async (t) => {
  const { server, scene, dial } = await setup(t);
  const { agent: api } = await dial();
  const { reportInterval } = await api.updateStats({});
  assert.equal(reportInterval?.seconds, 30n);
  const { workspaceStats } = server.coderd.services;
  const lastUsed = async () => {
    await workspaceStats.flush();
    return (await server.db.store.getWorkspaceView({ id: scene.workspace.id }))?.w.lastUsedAt;
  };
  const before = await lastUsed();
  await api.updateStats({ stats: { connectionCount: 0n, rxBytes: 1n } });
  assert.deepEqual(await lastUsed(), before);
  await api.updateStats({
    stats: {
      connectionCount: 1n,
      rxBytes: 10n,
      connectionMedianLatencyMs: Number.NaN,
      connectionsByProto: { TCP: 1n },
    },
  });
  const after = await lastUsed();
  assert.ok(after && (!before || after > before));
  const rows = await server.db.store.run(
    query<
      "many",
      object,
      { readonly rxBytes: number; readonly protocols: unknown; readonly latency: number }
    >({
      name: "stats_of_agents",
      kind: "many",
      sql: "SELECT rx_bytes, connections_by_proto AS protocols, connection_median_latency_ms AS latency FROM workspace_agent_stats ORDER BY rx_bytes",
      params: [],
      columns: { rxBytes: "number", protocols: "json", latency: "number" },
    }),
    {},
  );
  assert.deepEqual(rows, [
    { rxBytes: 1, protocols: {}, latency: 0 },
    { rxBytes: 10, protocols: { TCP: 1 }, latency: -1 },
  ]);
});

test("use moves the deadline once a twentieth of the bump is gone, and never beyond its limit", async (t) => {
  const { server, scene, dial } = await setup(t);
  const { store } = server.db;
  const { agent: api } = await dial();
  const hour = 3_600_000;
  const now = realClock.now().getTime();
  const set = (build: { readonly id: string }, deadline: number, maxDeadline: number) =>
    store.run(
      query<"exec", object, never>({
        name: "set_deadline",
        kind: "exec",
        sql: "UPDATE workspace_builds SET deadline = $2, max_deadline = $3 WHERE id = $1",
        params: ["id", "deadline", "maxDeadline"],
        columns: {},
      }),
      { id: build.id, deadline: new Date(deadline), maxDeadline: new Date(maxDeadline) },
    );
  const deadline = async () =>
    (await store.getBumpFacts({ workspaceId: scene.workspace.id }))?.deadline?.getTime() ?? 0;
  const use = (connectionCount: bigint) => api.updateStats({ stats: { connectionCount } });
  await set(scene.build, now + hour / 2, now + 10 * hour);
  await use(0n);
  assert.equal(await deadline(), now + hour / 2);
  await use(1n);
  const moved = await deadline();
  assert.ok(Math.abs(moved - (now + hour)) < 60_000, String(moved - now));
  await use(1n);
  assert.equal(await deadline(), moved);
  await set(scene.build, now + hour / 2, now + (hour * 3) / 4);
  await use(1n);
  assert.equal(await deadline(), now + (hour * 3) / 4);
});

test("reports of a connection make one row, in whatever order they come", async (t) => {
  const { server, scene, dial } = await setup(t);
  const { agent: api } = await dial();
  const at = (seconds: number) => timestampFromDate(new Date(1_700_000_000_000 + seconds * 1000));
  const id = uuidBytes(cryptoRand.uuid());
  const shared = { id, type: Connection_Type.SSH, ip: "fd7a:115c:a1e0::1" };
  const connect = { ...shared, action: Connection_Action.CONNECT, timestamp: at(0), statusCode: 0 };
  const end = {
    ...shared,
    action: Connection_Action.DISCONNECT,
    timestamp: at(5),
    statusCode: 3,
    reason: "gone",
  };
  await api.reportConnection({ connection: end });
  await api.reportConnection({ connection: connect });
  await api.reportConnection({ connection: { ...end, timestamp: at(9), statusCode: 4, reason: "twice" } });
  await api.reportConnection({
    connection: { ...connect, id: uuidBytes(cryptoRand.uuid()), ip: "no address" },
  });
  const rows = await server.db.store.run(
    query<"many", object, ConnectionLog>({
      name: "connection_logs_all",
      kind: "many",
      sql: `SELECT ${Object.keys(connectionLogColumns)
        .map((name) => name.replaceAll(/[A-Z]/gu, (char) => `_${char.toLowerCase()}`))
        .join(", ")} FROM connection_logs ORDER BY ip NULLS LAST`,
      params: [],
      columns: connectionLogColumns,
    }),
    {},
  );
  assert.deepEqual(
    rows.map((row) => [row.workspaceId, row.agentName, row.type, row.ip, row.code, row.disconnectReason]),
    [
      [scene.workspace.id, scene.agent.name, "ssh", "fd7a:115c:a1e0::1", 3, "gone"],
      [scene.workspace.id, scene.agent.name, "ssh", null, null, null],
    ],
  );
  assert.deepEqual(
    [rows[0]?.connectTime.getTime(), rows[0]?.disconnectTime?.getTime()],
    [1_700_000_000_000, 1_700_000_005_000],
  );
  await assert.rejects(
    api.reportConnection({ connection: { ...connect, id: new Uint8Array(16) } }),
    /no id/u,
  );
});

test("metadata is bounded and written in batches", async (t) => {
  const { server, scene, dial } = await setup(t);
  const { agent: api } = await dial();
  await dbgen.workspaceAgentMetadata(server.db.store, { workspaceAgentId: scene.agent.id, key: "load" });
  const report = (value: string) =>
    api.batchUpdateMetadata({ metadata: [{ key: "load", result: { age: 0n, value, error: "" } }] });
  await report("  1.5\n");
  await server.coderd.services.metadataBatcher.flush();
  const row = async () => (await server.db.store.getAgentMetadata({ agentId: scene.agent.id }))[0];
  assert.equal((await row())?.value, "1.5");
  await report("z".repeat(5000));
  await server.coderd.services.metadataBatcher.flush();
  assert.equal((await row())?.value.length, 2048);
  assert.equal((await row())?.error, "value of 5000 bytes exceeded 2048 bytes");
  await assert.rejects(
    api.batchUpdateMetadata({ metadata: [{ key: "k".repeat(7000) }] }),
    /metadata keys of 7000 bytes exceeded 6144 bytes/u,
  );
});

test("the REST twins for log lines", async (t) => {
  const { server, scene } = await setup(t);
  const client = newClient({ url: server.url, token: scene.agent.authToken });
  const id = cryptoRand.uuid();
  const source = await client.call(workspaceagents.postLogSource, {
    body: { id, display_name: "S", icon: "/i.svg" },
  });
  assert.equal(source.workspace_agent_id, scene.agent.id);
  await client.call(workspaceagents.postLogSource, { body: { id, display_name: "S", icon: "/i.svg" } });
  const line = { created_at: new Date(0), output: "by REST", level: "error" as const };
  await client.call(workspaceagents.patchLogs, { body: { log_source_id: id, logs: [line] } });
  await assert.rejects(
    client.call(workspaceagents.patchLogs, { body: { log_source_id: id, logs: [] } }),
    /No logs provided/u,
  );
  const large = { ...line, output: "x".repeat(900_000) };
  await client.call(workspaceagents.patchLogs, { body: { log_source_id: id, logs: [large] } });
  await assert.rejects(
    client.call(workspaceagents.patchLogs, { body: { log_source_id: id, logs: [large] } }),
    /Logs limit exceeded/u,
  );
});

test("what an app says about its work", async (t) => {
  const { server, scene, dial } = await setup(t);
  const { agent: api } = await dial();
  const app = await dbgen.workspaceApp(server.db.store, { agentId: scene.agent.id, slug: "web" });
  const report = { slug: "web", message: "busy\n\u001B[31mnow\u001B[0m", uri: "http://localhost/x" };
  await api.updateAppStatus({ ...report, state: UpdateAppStatusRequest_AppStatusState.WORKING });
  const client = newClient({ url: server.url, token: scene.agent.authToken });
  const body = {
    app_slug: "web",
    state: "idle",
    message: "",
    uri: "",
    icon: "",
    needs_user_attention: false,
  };
  assert.equal(await client.call(workspaceagents.patchAppStatus, { body }), null);
  const owner = await server.login(scene.owner.email);
  const shown = await owner.call(workspaceagents.get, { params: { workspaceagent: scene.agent.id } });
  const statuses = shown.apps?.find(({ id }) => id === app.id)?.statuses;
  assert.deepEqual(
    statuses?.map(({ state, message, uri }) => [state, message, uri]),
    [
      ["idle", "", ""],
      ["working", "busy now", "http://localhost/x"],
    ],
  );
  await assert.rejects(api.updateAppStatus({ ...report, slug: "other", state: 1 }), /app does not exist/u);
  const bad = (change: object) =>
    client.call(workspaceagents.patchAppStatus, { body: { ...body, ...change } });
  await assert.rejects(bad({ state: "sleeping" }), /state is not known/u);
  await assert.rejects(bad({ message: "m".repeat(161) }), /message is too long/u);
});

test("the owner's ssh key, unless the template keeps the owner's data from agents", async (t) => {
  const { server, scene } = await setup(t);
  const client = newClient({ url: server.url, token: scene.agent.authToken });
  const key = await client.call(workspaceagents.gitSshKey, {});
  assert.match(key.public_key, /^ssh-ed25519 /u);
  assert.match(key.private_key, /^-----BEGIN OPENSSH PRIVATE KEY-----/u);
  const closed = await workspaceScene(server.db.store, { agent: { apiKeyScope: "no_user_data" } });
  const refused = newClient({ url: server.url, token: closed.agent.authToken });
  await assert.rejects(refused.call(workspaceagents.gitSshKey, {}), /not found/iu);
});

test("a start that is being stopped may still report, until the stop is done", async (t) => {
  const { server, scene, dial } = await setup(t);
  const { store } = server.db;
  const stop = await addBuild(store, {
    scene,
    workspace: scene.workspace,
    build: { buildNumber: 2, transition: "stop" },
    job: { completedAt: null },
  });
  const { agent: api } = await dial();
  await api.updateLifecycle({ lifecycle: { state: Lifecycle_State.SHUTTING_DOWN } });
  await store.completeProvisionerJob({ id: stop.job.id, now: realClock.now() });
  await assert.rejects(dial(), (error) => error instanceof HandshakeError && error.status === 401);
});
