/** What people follow of an agent: its log, its metadata, its workspace. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { dialAgentApi } from "#codersdk/agentsdk/dial.ts";
import { WebSocket } from "ws";
import { type Client, newClient } from "#codersdk/client.ts";
import type { Dial } from "#codersdk/socket.ts";
import { WorkspaceAgentLog, workspaceagents } from "#codersdk/workspaceagents.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import * as w from "#codersdk/wire.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { Lifecycle_State, Log_Level } from "#rpc/gen/agent_pb.js";
import { uuidBytes } from "#tailnet/addresses.ts";
import { newServer, type TestServer } from "../coderdtest/coderdtest.ts";
import { addBuild, workspaceScene } from "../database/dbfake/dbfake.ts";
import * as dbgen from "../database/dbgen/workspaces.ts";

/** Sockets with headers, as programs under Node open them. */
const dial: Dial = async (url, { headers, signal }) => {
  const socket = new WebSocket(url, { headers: { ...headers } });
  signal?.addEventListener("abort", () => socket.terminate(), { once: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  return socket;
};

const clientOf = (server: TestServer, person: { readonly token: string }): Client =>
  newClient({ url: server.url, token: person.token, dial });

const Event = w.struct("TestEvent", { type: w.string(), data: w.json() });

async function setup(t: TestContext) {
  const server = await newServer(t);
  const first = await server.createFirstUser();
  const { store } = server.db;
  const scene = await workspaceScene(store, { owner: await store.getUserById({ id: first.id }) });
  const connection = await dialAgentApi({ url: server.url, token: scene.agent.authToken, clock: realClock });
  t.after(() => connection.close());
  const signal = AbortSignal.timeout(20_000);
  const source = uuidBytes(cryptoRand.uuid());
  const write = (output: string) =>
    connection.agent.batchCreateLogs({ logSourceId: source, logs: [{ output, level: Log_Level.INFO }] });
  return { server, scene, client: clientOf(server, first), api: connection.agent, signal, write };
}

/** The next message, or undefined at the end. */
async function next<T>(stream: AsyncIterator<T>): Promise<T | undefined> {
  const { done, value } = await stream.next();
  return done ? undefined : value;
}

function follow(client: Client, agentId: string, after: number, signal: AbortSignal) {
  const params = { workspaceagent: agentId };
  const stream = client.stream(workspaceagents.logs, w.list(WorkspaceAgentLog), {
    params,
    query: { follow: true, after },
    signal,
  });
  return stream[Symbol.asyncIterator]();
}

test("a followed log: what there is, what comes, and its end with the build", async (t) => {
  const { server, scene, client, signal, write } = await setup(t);
  const stream = follow(client, scene.agent.id, 0, signal);
  assert.deepEqual(await next(stream), []);
  await write("one");
  const first = await next(stream);
  assert.deepEqual(
    first?.map(({ output }) => output),
    ["one"],
  );
  await write("two");
  assert.deepEqual(
    (await next(stream))?.map(({ output }) => output),
    ["two"],
  );
  const later = follow(client, scene.agent.id, first?.[0]?.id ?? 0, signal);
  assert.deepEqual(
    (await next(later))?.map(({ output }) => output),
    ["two"],
  );
  // Another build takes the agent's place: after one more read there is nothing to wait for.
  await addBuild(server.db.store, { scene, workspace: scene.workspace, build: { buildNumber: 2 } });
  await write("last");
  for (const one of [stream, later]) {
    assert.deepEqual(
      (await next(one))?.map(({ output }) => output),
      ["last"],
    );
    assert.equal(await next(one), undefined);
  }
});

test("a stranger follows nothing", async (t) => {
  const { server, scene, signal } = await setup(t);
  const stranger = await server.createAnotherUser();
  await assert.rejects(
    next(follow(clientOf(server, stranger), scene.agent.id, 0, signal)),
    /404|not found/iu,
  );
});

test("metadata: all at once, then after a change", async (t) => {
  const { server, scene, client, api, signal } = await setup(t);
  await dbgen.workspaceAgentMetadata(server.db.store, { workspaceAgentId: scene.agent.id, key: "load" });
  const params = { workspaceagent: scene.agent.id };
  const stream = client
    .stream(workspaceagents.watchMetadataWs, Event, { params, signal })
    [Symbol.asyncIterator]();
  const first = await next(stream);
  assert.equal(first?.type, "data");
  assert.match(JSON.stringify(first?.data), /"key":"load".*/u);
  await api.batchUpdateMetadata({
    metadata: [{ key: "load", result: { age: 0n, value: "0.5", error: "" } }],
  });
  await server.coderd.services.metadataBatcher.flush();
  let shown = "";
  while (!shown.includes('"value":"0.5"')) shown = JSON.stringify((await next(stream))?.data ?? []);
});

test("a watched workspace tells of its agent's life", async (t) => {
  const { scene, client, api, signal } = await setup(t);
  const params = { workspace: scene.workspace.id };
  const stream = client.stream(workspaces.watchWs, Event, { params, signal })[Symbol.asyncIterator]();
  let shown = "";
  while (!shown.includes('"status":"connected"')) shown = JSON.stringify((await next(stream))?.data ?? {});
  await api.updateLifecycle({ lifecycle: { state: Lifecycle_State.READY } });
  while (!shown.includes('"lifecycle_state":"ready"')) {
    shown = JSON.stringify((await next(stream))?.data ?? {});
  }
});
