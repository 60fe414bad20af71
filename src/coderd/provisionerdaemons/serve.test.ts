import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { provisionerdaemons } from "#codersdk/provisionerdaemons.ts";
import { provisionerjobs } from "#codersdk/provisionerjobs.ts";
import { provisionerkeys } from "#codersdk/provisionerkeys.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { webSocketConnect } from "#provisionerd/connection.ts";
import { ProvisionerDaemon } from "#provisionerd/daemon.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually } from "#testutil/testutil.ts";
import {
  awaitTemplateVersionJobCompleted,
  createTemplateVersion,
  echoDaemons,
} from "../coderdtest/builds.ts";
import { newServer } from "../coderdtest/coderdtest.ts";

function status(expected: number): (error: unknown) => boolean {
  return (error) => error instanceof ClientError && error.status === expected;
}

test("a daemon with a key builds until its key is deleted", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const params = { organization: owner.organizationId };
  const name = "lab";
  const { key } = await owner.client.call(provisionerkeys.create, { params, body: { name, tags: {} } });
  const { provisioners } = await echoDaemons(t);
  const connect = (secret: string) =>
    webSocketConnect(
      {
        url: server.url,
        organization: "default",
        name: "outside",
        provisioners: ["echo"],
        tags: {},
        buildVersion: "v2.34.0",
        credential: { kind: "key", key: secret },
      },
      realClock,
    );
  const start = (secret: string) =>
    ProvisionerDaemon.start({
      connect: connect(secret),
      provisioners,
      clock: realClock,
      rand: cryptoRand,
      log: discardLogger,
    });
  await using _daemon = start(key);
  const version = await createTemplateVersion(owner);
  const imported = await awaitTemplateVersionJobCompleted(owner, version.id);
  assert.equal(imported.job.status, "succeeded");

  const [listed] = (await owner.client.call(provisionerdaemons.list, { params })) ?? [];
  assert.deepEqual(
    [listed?.name, listed?.status, listed?.key_name, listed?.previous_job?.id],
    ["outside", "idle", name, imported.job.id],
  );
  const jobs = (await owner.client.call(provisionerjobs.list, { params })) ?? [];
  assert.deepEqual(
    jobs.map(({ id, worker_name }) => [id, worker_name]),
    [[imported.job.id, "outside"]],
  );

  await owner.client.call(provisionerkeys.remove, { params: { ...params, provisionerkey: name } });
  await assert.rejects(connect(key)(AbortSignal.timeout(10_000)), /status 401/);
  await createTemplateVersion(owner);
  await eventually("nobody takes the next job", async () => {
    const [job] = (await owner.client.call(provisionerjobs.list, { params })) ?? [];
    return job?.status === "pending";
  });
});

test("keys: names are unique and not reserved; members make none; a key never shows its secret again", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const params = { organization: owner.organizationId };
  const make = (someone: typeof owner, name: string) =>
    someone.client.call(provisionerkeys.create, { params, body: { name, tags: { site: "lab" } } });
  const { key } = await make(owner, "one");
  assert.equal(key.length, 43);
  await assert.rejects(make(owner, "one"), status(409));
  for (const name of ["", "user-auth", "a b", "x".repeat(65)]) {
    await assert.rejects(make(owner, name), status(400));
  }
  await assert.rejects(make(member, "two"), (error) => error instanceof ClientError && error.status >= 403);
  const keys = (await owner.client.call(provisionerkeys.list, { params })) ?? [];
  assert.deepEqual(
    keys.map(({ name, tags }) => [name, { ...tags }]),
    [["one", { site: "lab" }]],
  );
  assert.equal(JSON.stringify(keys).includes(key), false);
});
