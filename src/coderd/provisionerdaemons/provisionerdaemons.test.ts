import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { provisionerdaemons } from "#codersdk/provisionerdaemons.ts";
import { provisionerjobs } from "#codersdk/provisionerjobs.ts";
import { provisionerkeys } from "#codersdk/provisionerkeys.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { type ServeAddress, webSocketConnect } from "#provisionerd/connection.ts";
import { ProvisionerDaemon } from "#provisionerd/daemon.ts";
import { HandshakeError } from "#rpc/wsconn/dial.ts";
import {
  awaitTemplateVersionJobCompleted,
  createTemplateVersion,
  echoDaemons,
} from "../coderdtest/builds.ts";
import { newServer, type Person, type TestServer } from "../coderdtest/coderdtest.ts";

async function setup(t: TestContext): Promise<{ server: TestServer; owner: Person }> {
  const server = await newServer(t);
  return { server, owner: await server.createFirstUser() };
}

function address(
  server: TestServer,
  credential: ServeAddress["credential"],
  more: Partial<ServeAddress> = {},
) {
  return {
    url: server.url,
    organization: "default",
    name: "outside",
    provisioners: ["echo"],
    tags: {},
    buildVersion: "v1",
    credential,
    ...more,
  };
}

const signal = new AbortController().signal;

async function refusedWith(status: number, where: ServeAddress): Promise<void> {
  await assert.rejects(webSocketConnect(where, realClock)(signal), (error) => {
    assert.ok(error instanceof HandshakeError);
    assert.equal(error.status, status, error.body);
    return true;
  });
}

async function startOutside(t: TestContext, where: ServeAddress): Promise<ProvisionerDaemon> {
  const { provisioners } = await echoDaemons(t);
  const daemon = ProvisionerDaemon.start({
    connect: webSocketConnect(where, realClock),
    provisioners,
    clock: realClock,
    rand: cryptoRand,
    log: discardLogger,
  });
  t.after(() => daemon[Symbol.asyncDispose]());
  return daemon;
}

test("a daemon with a key dials in, runs a job and is listed; its key's end is its connection's end", async (t) => {
  const { server, owner } = await setup(t);
  const params = { organization: owner.organizationId };
  const { key } = await owner.client.call(provisionerkeys.create, {
    params,
    body: { name: "outer", tags: {} },
  });
  assert.equal(key.length, 43);
  const where = address(server, { kind: "key", key });
  await startOutside(t, where);
  const version = await createTemplateVersion(owner);
  const done = await awaitTemplateVersionJobCompleted(owner, version.id);
  assert.equal(done.job.status, "succeeded");
  const [listedJob] = await owner.client.call(provisionerjobs.list, { params });
  assert.deepEqual([listedJob?.id, listedJob?.worker_name], [done.job.id, "outside"]);
  const [daemon] = await owner.client.call(provisionerdaemons.list, { params });
  assert.deepEqual([daemon?.name, daemon?.status], ["outside", "idle"]);
  assert.equal(daemon?.key_name, "outer");
  assert.equal(daemon?.previous_job?.id, done.job.id);
  const listed = await owner.client.call(provisionerkeys.daemons, { params });
  assert.deepEqual(
    listed.map((entry) => [entry.key.name, entry.daemons?.length ?? 0]),
    [["outer", 1]],
  );
  const connection = await webSocketConnect({ ...where, name: "second" }, realClock)(signal);
  const gone = new Promise((resolve) => connection.signal.addEventListener("abort", resolve));
  await owner.client.call(provisionerkeys.remove, { params: { ...params, provisionerkey: "outer" } });
  await gone;
  await refusedWith(401, where);
});

test("jobs of an organization are listed with what they are about", async (t) => {
  const { owner } = await setup(t);
  const params = { organization: owner.organizationId };
  const version = await createTemplateVersion(owner);
  const [job] = await owner.client.call(provisionerjobs.list, { params });
  assert.equal(job?.id, version.job.id);
  assert.equal(job?.status, "pending");
  assert.equal(job?.metadata.template_version_name, version.name);
  const one = await owner.client.call(provisionerjobs.get, { params: { ...params, job: version.job.id } });
  assert.equal(one.id, version.job.id);
});

test("bad versions, types and tags are refused before the upgrade", async (t) => {
  const { server, owner } = await setup(t);
  const session = { kind: "session", token: owner.token } as const;
  await refusedWith(400, address(server, session, { provisioners: ["bash"] }));
  await refusedWith(400, address(server, session, { provisioners: [] }));
  await refusedWith(400, address(server, session, { name: "" }));
  await refusedWith(404, address(server, session, { organization: "nowhere" }));
});

test("a member may serve himself, not the organization; keys are not his to see", async (t) => {
  const { server } = await setup(t);
  const member = await server.createAnotherUser();
  const session = { kind: "session", token: member.token } as const;
  await refusedWith(403, address(server, session));
  const connection = await webSocketConnect(
    address(server, session, { tags: { scope: "user" } }),
    realClock,
  )(signal);
  connection.close();
  await assert.rejects(
    member.client.call(provisionerkeys.create, {
      params: { organization: member.organizationId },
      body: { name: "mine", tags: {} },
    }),
    (error) => error instanceof ClientError && error.status === 404,
  );
});

test("key names are unique and some are reserved", async (t) => {
  const { owner } = await setup(t);
  const create = (name: string) =>
    owner.client.call(provisionerkeys.create, {
      params: { organization: owner.organizationId },
      body: { name, tags: { a: "b" } },
    });
  const { key } = await create("one");
  const status = (wanted: number) => (error: unknown) =>
    error instanceof ClientError && error.status === wanted;
  await assert.rejects(create("One"), status(409));
  await assert.rejects(create("psk"), status(400));
  for (const bad of ["", "user-auth", "a b", "x".repeat(65)]) await assert.rejects(create(bad), status(400));
  const list = await owner.client.call(provisionerkeys.list, {
    params: { organization: owner.organizationId },
  });
  assert.deepEqual(
    list.map(({ name, tags }) => [name, { ...tags }]),
    [["one", { a: "b" }]],
  );
  assert.equal(JSON.stringify(list).includes(key), false, "a secret is shown once");
});
