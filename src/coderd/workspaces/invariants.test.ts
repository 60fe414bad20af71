/** What holds for builds whatever crosses whatever: one active build, one end of a job, and a way on after a lost daemon. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { workspacebuilds } from "#codersdk/workspacebuilds.ts";
import { type Workspace, workspaces } from "#codersdk/workspaces.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually } from "#testutil/testutil.ts";
import {
  awaitBuild,
  createBuiltWorkspace,
  createEchoTemplate,
  createWorkspace,
  echoDaemons,
} from "../coderdtest/builds.ts";
import { newServer, type Person } from "../coderdtest/coderdtest.ts";
import { newCtx } from "../ctx.ts";
import { reapOnce } from "../jobreaper/jobreaper.ts";
import { actors } from "../rbac/actors.ts";

type Transition = "start" | "stop" | "delete";

const build = (who: Person, { id }: Workspace, transition: Transition) =>
  who.client.call(workspaces.createBuild, {
    params: { workspace: id },
    body: { transition, template_version_id: zeroUuid, template_version_preset_id: zeroUuid },
  });

const statusOf = (result: PromiseSettledResult<unknown>): number => {
  if (result.status === "fulfilled") return 200;
  assert.ok(result.reason instanceof ClientError);
  return result.reason.status;
};

test("of many cancels one counts, and a cancel that crosses the end changes nothing", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const template = await createEchoTemplate(owner, {
    stop: { apply: { logs: ["holding"], answer: "hang" } },
  });
  const workspace = await createBuiltWorkspace(owner, template.id);
  const cancel = (id: string) =>
    owner.client.call(workspacebuilds.cancel, { params: { workspacebuild: id } });
  const held = await build(owner, workspace, "stop");
  const cancels = await Promise.allSettled(Array.from({ length: 10 }, () => cancel(held.id)));
  assert.deepEqual(
    cancels.map(statusOf).toSorted((a, b) => a - b),
    [200, ...Array.from({ length: 9 }, () => 400)],
  );
  const ended = await awaitBuild(owner, held.id);
  assert.ok(ended.status === "failed" || ended.status === "canceled");
  // Starts end at once: whichever is first, the build ends once and says how.
  for (let n = 0; n < 5; n++) {
    const quick = await build(owner, workspace, "start");
    const [crossing] = await Promise.allSettled([cancel(quick.id)]);
    const { status, job } = await awaitBuild(owner, quick.id);
    if (statusOf(crossing) === 400) assert.equal(status, "running");
    else assert.ok(job.canceled_at);
  }
});

test("builds and deletes at once: numbers stay dense, and never two are active", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const workspace = await createBuiltWorkspace(owner, (await createEchoTemplate(owner)).id);
  for (let round = 0; round < 4; round++) {
    const asked = (["stop", "start", "stop", "start"] as const).map((one) => build(owner, workspace, one));
    for (const result of await Promise.allSettled(asked)) assert.ok([200, 409].includes(statusOf(result)));
  }
  const list = await eventually("all builds end", async () => {
    const builds = await owner.client.call(workspaces.builds, { params: { workspace: workspace.id } });
    return builds.every(({ job }) => job.completed_at) && builds;
  });
  assert.deepEqual(
    list.map(({ build_number: n }) => n),
    list.map((_, n) => list.length - n),
  );
  const spans = list.map(({ job }) => [job.created_at, job.completed_at] as const).toReversed();
  spans.slice(1).forEach(([created], n) => assert.ok((spans[n]?.[1] ?? created) <= created));
});

test("a job whose daemon is lost ends with its reason; the workspace can be stopped and deleted then", async (t) => {
  const server = await newServer(t, { coderd: { builtin: await echoDaemons(t, 2) } });
  const owner = await server.createFirstUser();
  const template = await createEchoTemplate(owner, {
    start: { apply: { logs: ["holding"], answer: "hang" } },
  });
  const workspace = await createWorkspace(owner, template.id);
  const params = { workspacebuild: workspace.latest_build.id };
  await eventually("the build runs", async () => {
    const lines = await owner.client.call(workspacebuilds.logs, { params });
    return Array.isArray(lines) && lines.some(({ output }) => output === "holding");
  });
  const { store, services } = server.coderd;
  const now = newCtx({
    actor: actors.jobReaper,
    signal: new AbortController().signal,
    log: discardLogger,
    requestId: "test",
    clock: realClock,
  });
  // To the reaper it is six minutes later, and nobody has been heard of.
  const late = { ...now, now: () => new Date(realClock.now().getTime() + 6 * 60_000) };
  assert.equal((await reapOnce(late, { store, pubsub: services.pubsub })).length, 1);
  const { status, job } = await awaitBuild(owner, params.workspacebuild);
  assert.equal(status, "failed");
  assert.match(job.error ?? "", /hung for 5 minutes/);
  assert.equal((await awaitBuild(owner, (await build(owner, workspace, "stop")).id)).status, "stopped");
  assert.equal((await awaitBuild(owner, (await build(owner, workspace, "delete")).id)).status, "deleted");
});
