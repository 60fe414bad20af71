/** Two servers on one database: each sees what the other did, and what only one may do only one does. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ClientError, newClient } from "#codersdk/client.ts";
import { apikeys } from "#codersdk/apikeys.ts";
import { users } from "#codersdk/users.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { uniqueName } from "#testutil/testutil.ts";
import { awaitBuild, createEchoTemplate, createWorkspace, echoDaemons } from "./coderdtest/builds.ts";
import { newServer, type Person, type TestServer } from "./coderdtest/coderdtest.ts";
import { newDb, type TestDb } from "./database/dbtestutil/dbtestutil.ts";
import { PgPubsub } from "./database/pubsub/pg-pubsub.ts";

async function server(t: TestContext, db: TestDb, daemons: number): Promise<TestServer> {
  const pubsub = await PgPubsub.start({ database: db.database, clock: realClock, log: discardLogger });
  db.defer(() => pubsub[Symbol.asyncDispose]());
  const builtin = daemons > 0 ? { builtin: await echoDaemons(t, daemons) } : {};
  return newServer(t, { db, coderd: { pubsub, ...builtin } });
}

/** The same person at the other server. */
const at = (person: Person, other: TestServer): Person => ({
  ...person,
  client: newClient({ url: other.url, token: person.token }),
});

const status = (wanted: number) => (error: unknown) =>
  error instanceof ClientError && error.status === wanted;

test("a job posted at one is built by the daemon of the other, at once", async (t) => {
  const db = await newDb(t);
  const posting = await server(t, db, 0);
  const building = await server(t, db, 1);
  const owner = await posting.createFirstUser();
  const begin = realClock.monotonic();
  const template = await createEchoTemplate(owner);
  const workspace = await createWorkspace(owner, template.id);
  const build = await awaitBuild(at(owner, building), workspace.latest_build.id);
  assert.equal(build.status, "running");
  // By message: the poll would take 30 s.
  assert.ok(realClock.monotonic() - begin < 20_000);
});

test("builds of one workspace asked for at both: one is made, the other is told so", async (t) => {
  const db = await newDb(t);
  const both = [await server(t, db, 1), await server(t, db, 1)] as const;
  const owner = await both[0].createFirstUser();
  const template = await createEchoTemplate(owner);
  const workspace = await createWorkspace(owner, template.id);
  await awaitBuild(owner, workspace.latest_build.id);
  for (const transition of ["stop", "start"] as const) {
    const wishes = await Promise.allSettled(
      Array.from({ length: 6 }, (_, n) =>
        at(owner, both[n % 2 === 0 ? 0 : 1]).client.call(workspaces.createBuild, {
          params: { workspace: workspace.id },
          body: { transition, template_version_id: zeroUuid, template_version_preset_id: zeroUuid },
        }),
      ),
    );
    const made = wishes.flatMap((wish) => (wish.status === "fulfilled" ? [wish.value] : []));
    for (const wish of wishes) {
      if (wish.status === "rejected") assert.ok(status(409)(wish.reason), String(wish.reason));
    }
    // One after the other may be made where the first ended in between; never two numbers twice.
    assert.ok(made.length >= 1);
    assert.equal(new Set(made.map(({ build_number: n }) => n)).size, made.length);
    for (const { id } of made) await awaitBuild(owner, id);
  }
});

test("sessions and keys made at one hold at the other, and end there too", async (t) => {
  const db = await newDb(t);
  const [first, second] = [await server(t, db, 0), await server(t, db, 0)];
  const owner = await first.createFirstUser();
  const other = at(owner, second);
  assert.equal((await other.client.call(users.get, { params: { user: "me" } })).username, owner.username);
  const { key } = await owner.client.call(apikeys.createToken, {
    params: { user: "me" },
    body: { lifetime: 0, token_name: uniqueName("t") },
  });
  const byKey = newClient({ url: second.url, token: key });
  await byKey.call(users.get, { params: { user: "me" } });
  const params = { user: "me", keyid: key.slice(0, 10) };
  await owner.client.call(apikeys.delete, { params });
  await assert.rejects(byKey.call(users.get, { params: { user: "me" } }), status(401));
});

test("a name taken at both at once goes to one", async (t) => {
  const db = await newDb(t);
  const [first, second] = [await server(t, db, 1), await server(t, db, 0)];
  const owner = await first.createFirstUser();
  const template = await createEchoTemplate(owner);
  const name = uniqueName("ws");
  const wishes = await Promise.allSettled(
    [owner, at(owner, second), owner, at(owner, second)].map((who) =>
      createWorkspace(who, template.id, { name }),
    ),
  );
  assert.equal(wishes.filter((wish) => wish.status === "fulfilled").length, 1);
  for (const wish of wishes) {
    if (wish.status === "rejected") assert.ok(status(409)(wish.reason), String(wish.reason));
  }
});
