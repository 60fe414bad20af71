import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import { discardLogger } from "#slog/slog.ts";
import { newServer, type Person, type TestServer } from "../coderdtest/coderdtest.ts";
import type { Store } from "../database/db.ts";
import { query } from "../database/query.ts";
import { addBuild, templateScene, type WorkspaceScene, workspaceScene } from "../database/dbfake/dbfake.ts";
import { MemoryPubsub } from "../database/pubsub/memory-pubsub.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";

interface World {
  readonly server: TestServer;
  readonly pubsub: MemoryPubsub;
  readonly owner: Person;
  readonly member: Person;
  readonly scene: WorkspaceScene;
}

async function world(t: TestContext): Promise<World> {
  const pubsub = new MemoryPubsub(discardLogger);
  const server = await newServer(t, { coderd: { pubsub } });
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const { store } = server.db;
  const user = await store.getUserById({ id: member.id });
  const scene = await workspaceScene(store, {
    scene: { ...(await templateScene(store)), owner: user },
    workspace: { name: "mine" },
  });
  return { server, pubsub, owner, member, scene };
}

const sql = (store: Store, text: string, id: string): Promise<void> =>
  store.run(query<"exec", { id: string }, never>({ name: "test", kind: "exec", sql: text, params: ["id"] }), {
    id,
  });

const status = (wanted: number) => (error: unknown) =>
  error instanceof ClientError && error.status === wanted;

describe("reading workspaces", () => {
  it("shows build, job, resources, agent and health", async (t) => {
    const { member, scene } = await world(t);
    const params = { workspace: scene.workspace.id };
    const one = await member.client.call(workspaces.get, { params });
    assert.equal(one.owner_name, member.username);
    assert.equal(one.latest_build.status, "running");
    assert.equal(one.latest_build.job.status, "succeeded");
    const [agent] = one.latest_build.resources.flatMap((resource) => resource.agents ?? []);
    assert.equal(agent?.id, scene.agent.id);
    assert.equal(agent.status, "connecting");
    assert.deepEqual(one.health, { healthy: false, failing_agents: [scene.agent.id] });
    assert.ok(
      !JSON.stringify(one).includes(scene.agent.authToken),
      "an agent's token leaves the database only for its agent",
    );
  });

  it("by name, by owner and name, and never for a stranger", async (t) => {
    const { server, owner, member, scene } = await world(t);
    const stranger = await server.createAnotherUser();
    const byName = (person: Person, user: string): Promise<unknown> =>
      person.client.call(workspaces.getByName, { params: { user, workspacename: "MINE" } });
    await byName(member, "me");
    await byName(owner, member.username);
    await assert.rejects(byName(stranger, member.username), status(404));
    await assert.rejects(
      stranger.client.call(workspaces.get, { params: { workspace: scene.workspace.id } }),
      status(404),
    );
    assert.deepEqual(await stranger.client.call(workspaces.list), { workspaces: [], count: 0 });
  });

  it("a deleted one is gone unless asked for", async (t) => {
    const { server, member, scene } = await world(t);
    const { store } = server.db;
    await sql(store, "UPDATE workspaces SET deleted = true WHERE id = $1", scene.workspace.id);
    const params = { workspace: scene.workspace.id };
    await assert.rejects(member.client.call(workspaces.get, { params }), status(410));
    await member.client.call(workspaces.get, { params, query: { include_deleted: true } });
    await assert.rejects(
      member.client.call(workspaces.getByName, { params: { user: "me", workspacename: "mine" } }),
      status(404),
    );
  });

  it("lists pages with the whole count, what runs first; filters by the search language", async (t) => {
    const { server, owner, scene } = await world(t);
    const { store } = server.db;
    for (const name of ["b-stopped", "a-stopped"]) {
      await workspaceScene(store, { scene, workspace: { name }, build: { transition: "stop" } });
    }
    const list = async (
      q: string,
      page: { limit?: number; offset?: number } = {},
    ): Promise<{ names: string[]; count: number }> => {
      const answer = await owner.client.call(workspaces.list, { query: { q, ...page } });
      return { names: answer.workspaces.map(({ name }) => name), count: answer.count };
    };
    assert.deepEqual(await list(""), { names: ["mine", "a-stopped", "b-stopped"], count: 3 });
    assert.deepEqual(await list("", { limit: 1, offset: 1 }), { names: ["a-stopped"], count: 3 });
    assert.deepEqual(await list("", { limit: 5, offset: 9 }), { names: [], count: 3 });
    assert.deepEqual((await list("status:stopped name:B-")).names, ["b-stopped"]);
    assert.deepEqual((await list(`owner:${scene.owner.username} has-agent:connecting mine`)).names, ["mine"]);
    assert.deepEqual((await list("owner:me")).names, []);
    for (const bad of ["status:zz", "nonsense:1", "last_used_after:junk", "organization:nope", "a/b/c"]) {
      await assert.rejects(list(bad), status(400), bad);
    }
  });

  it("builds newest first, after one of them, by number", async (t) => {
    const { server, member, scene } = await world(t);
    await addBuild(server.db.store, {
      scene,
      workspace: scene.workspace,
      build: { buildNumber: 2, transition: "stop" },
    });
    const params = { workspace: scene.workspace.id };
    const builds = await member.client.call(workspaces.builds, { params });
    assert.deepEqual(
      builds.map((build) => build.build_number),
      [2, 1],
    );
    const after = await member.client.call(workspaces.builds, {
      params,
      query: { after_id: builds[0]?.id ?? "" },
    });
    assert.deepEqual(
      after.map((build) => build.build_number),
      [1],
    );
    const byNumber = { user: "me", workspacename: "mine" };
    assert.equal(
      (await member.client.call(workspaces.buildByNumber, { params: { ...byNumber, buildnumber: "2" } }))
        .transition,
      "stop",
    );
    await assert.rejects(
      member.client.call(workspaces.buildByNumber, { params: { ...byNumber, buildnumber: "9" } }),
      status(404),
    );
    await assert.rejects(
      member.client.call(workspaces.buildByNumber, { params: { ...byNumber, buildnumber: "x" } }),
      status(400),
    );
  });

  it("a list costs at most four statements, however many rows", async (t) => {
    const { server, owner, scene } = await world(t);
    const { store } = server.db;
    for (let at = 0; at < 5; at++) await workspaceScene(store, { scene });
    const counted: string[] = [];
    const watched = await newServer(t, {
      db: server.db,
      coderd: {
        store: new Proxy(store, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name);
            if (typeof value !== "function") return value;
            return (...args: [{ name: string }, ...unknown[]]) => {
              if (name === "run") counted.push(args[0].name);
              return Reflect.apply(value, target, args) as unknown;
            };
          },
        }),
      },
    });
    await owner.client.call(workspaces.list);
    const client = await watched.login(owner.email);
    counted.length = 0;
    assert.equal((await client.call(workspaces.list, { query: { limit: 25 } })).workspaces.length, 6);
    assert.ok(counted.length <= 4, counted.join());
  });

  it("watching shows the workspace now and at each event", async (t) => {
    const { server, pubsub, member, scene } = await world(t);
    const stop = new AbortController();
    t.after(() => stop.abort());
    const response = await fetch(`${server.url}/api/v2/workspaces/${scene.workspace.id}/watch`, {
      headers: { "Coder-Session-Token": member.token },
      signal: stop.signal,
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) text += (await reader?.read())?.value ?? assert.fail(`ended: ${text}`);
    };
    await until(/event: data\ndata: .*"name":"mine".*\n\n/);
    await sql(server.db.store, "UPDATE workspaces SET name = 'other' WHERE id = $1", scene.workspace.id);
    await publishWorkspaceEvent(pubsub, scene.owner.id, {
      kind: "state_change",
      workspaceId: scene.workspace.id,
    });
    await until(/"name":"other"/);
  });
});
