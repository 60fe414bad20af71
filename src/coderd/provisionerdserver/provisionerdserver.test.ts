import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { drpcClient, type DrpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { ProvisionerDaemon } from "#rpc/gen/provisionerd_pb.js";
import { LogLevel, Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { echoArchive, type EchoTemplate } from "#provisioner/echo/archive.ts";
import { echoEngine } from "#provisioner/echo/echo.ts";
import { newCtx, type Ctx } from "../ctx.ts";
import { authorize } from "../database/dbauthz/dbauthz.ts";
import { rules } from "../database/dbauthz/rules.ts";
import type { Store } from "../database/db.ts";
import { templateScene, type Scene } from "../database/dbfake/dbfake.ts";
import * as dbgen from "../database/dbgen/dbgen.ts";
import * as workspaces from "../database/dbgen/workspaces.ts";
import { newDb } from "../database/dbtestutil/dbtestutil.ts";
import type { ProvisionerJob, WorkspaceBuild } from "../database/gen/models.gen.ts";
import { MemoryPubsub } from "../database/pubsub/memory-pubsub.ts";
import { cancelJob } from "../provisionerjobs/jobs.ts";
import { followLogs, readLogs } from "../provisionerjobs/logs.ts";
import { publishPosting } from "../provisionerjobs/messages.ts";
import { actors } from "../rbac/actors.ts";
import { Acquirer } from "./acquirer.ts";
import { startBuiltinDaemons } from "./builtin.ts";
import type { ProvisionerdServerDeps } from "./deps.ts";
import { provisionerdRouter } from "./server.ts";

interface Setup {
  readonly db: Store;
  readonly scene: Scene;
  readonly ctx: Ctx;
  readonly deps: ProvisionerdServerDeps;
}

async function setup(t: TestContext): Promise<Setup> {
  const { store: db } = await newDb(t);
  const store = authorize(db, rules);
  const pubsub = new MemoryPubsub();
  const stop = new AbortController();
  const ctx = newCtx({
    actor: actors.provisionerd,
    signal: stop.signal,
    log: discardLogger,
    requestId: "test",
    clock: realClock,
  });
  const acquirer = await Acquirer.start(ctx, { store, pubsub });
  t.after(async () => {
    await acquirer[Symbol.asyncDispose]();
    stop.abort(new Error("the test is over"));
  });
  const deps = {
    store,
    pubsub,
    acquirer,
    rand: cryptoRand,
    accessUrl: () => "http://coder.test",
    sessionMs: 1000,
    quietHours: "CRON_TZ=UTC 0 0 * * *",
    leaving: new AbortController().signal,
  };
  return { db, scene: await templateScene(db), ctx, deps };
}

async function withDaemon(t: TestContext, setup: Setup): Promise<void> {
  const { ctx, deps, scene } = setup;
  const common = { clock: realClock, rand: cryptoRand, log: discardLogger };
  const engine = provisionerRouter({ engine: echoEngine, workDir: await tempDir(t), ...common });
  const daemons = await startBuiltinDaemons({
    ctx,
    deps,
    ...common,
    organizationId: scene.organization.id,
    replicaId: cryptoRand.uuid(),
    name: "test",
    buildVersion: "v0",
    count: 2,
    provisioners: { echo: drpcClient(Provisioner, memoryStreams(engine)) },
  });
  t.after(() => daemons[Symbol.asyncDispose]());
}

async function postBuild(
  { db, scene, deps }: Setup,
  template: EchoTemplate,
  over: Partial<WorkspaceBuild> & { workspaceId?: string } = {},
): Promise<{ job: ProvisionerJob; build: WorkspaceBuild }> {
  const file = await dbgen.file(db, { data: await echoArchive(template) });
  const workspaceId =
    over.workspaceId ??
    (await workspaces.workspace(db, { ownerId: scene.owner.id, templateId: scene.template.id })).id;
  const id = cryptoRand.uuid();
  const input = { workspace_build_id: id };
  const job = await dbgen.provisionerJob(db, {
    workspaceId,
    fileId: file.id,
    input,
    initiatorId: scene.owner.id,
  });
  const build = await workspaces.workspaceBuild(db, {
    id,
    workspaceId,
    templateVersionId: scene.version.id,
    initiatorId: scene.owner.id,
    jobId: job.id,
    ...over,
  });
  await publishPosting(deps.pubsub, job);
  return { job, build };
}

async function postImport(
  { db, scene, deps }: Setup,
  template: EchoTemplate,
): Promise<{ job: ProvisionerJob; versionId: string }> {
  const file = await dbgen.file(db, { data: await echoArchive(template) });
  const versionId = cryptoRand.uuid();
  const input = { template_version_id: versionId, user_variable_values: [{ name: "given", value: "x" }] };
  const job = await dbgen.provisionerJob(db, { fileId: file.id, input, initiatorId: scene.owner.id });
  await dbgen.templateVersion(db, { id: versionId, jobId: job.id, createdBy: scene.owner.id });
  await publishPosting(deps.pubsub, job);
  return { job, versionId };
}

function ended({ db }: Setup, jobId: string): Promise<ProvisionerJob> {
  return eventually("the job ends", async () => {
    const job = await db.getProvisionerJobById({ id: jobId });
    return job.completedAt ? job : false;
  });
}

test("a start build: state, resources, agents, apps and logs are there when the job is done", async (t) => {
  const all = await setup(t);
  await withDaemon(t, all);
  const { db } = all;
  const { job, build } = await postBuild(all, {
    apply: { logs: ["applied"], answer: { state: Buffer.from("state-1") } },
    graph: {
      resources: [
        {
          name: "main",
          type: "docker_container",
          dailyCost: 2,
          metadata: [
            { key: "k", value: "v" },
            { key: "gone", isNull: true },
          ],
          agents: [
            {
              name: "dev",
              auth: { case: "token", value: cryptoRand.uuid() },
              operatingSystem: "linux",
              architecture: "amd64",
              extraEnvs: [
                { name: "PATH", value: "a" },
                { name: "PATH", value: "b", mergeStrategy: "append" },
              ],
              scripts: [{ displayName: "Startup", script: "echo", runOnStart: true }],
              apps: [
                {
                  slug: "code",
                  displayName: "Code",
                  healthcheck: { url: "http://x", interval: 5, threshold: 3 },
                },
              ],
              displayApps: { vscode: true, webTerminal: true },
            },
          ],
        },
      ],
    },
  });
  const done = await ended(all, job.id);
  assert.equal(done.error, null);
  assert.equal(done.jobStatus, "succeeded");
  const state = await db.getBuildState({ buildId: build.id });
  assert.equal(state?.state.toString(), "state-1");
  const [after] = [await db.getWorkspaceForJob({ buildId: build.id })];
  assert.equal(after.b.dailyCost, 2);
  const logs = await readLogs(all.ctx, all.deps.store, { jobId: job.id, after: 0 });
  assert.ok(logs.some((line) => line.output === "applied" && line.stage === "Starting workspace"));
});

test("an import: variables, tags, parameters and readme are kept with the version", async (t) => {
  const all = await setup(t);
  await withDaemon(t, all);
  const { job, versionId } = await postImport(all, {
    parse: { templateVariables: [{ name: "given", type: "string" }], workspaceTags: { zone: '"eu"' } },
    graph: {
      parameters: [{ name: "size", type: "number", formType: 0, mutable: true, validationMin: 1 }],
      presets: [{ name: "small", parameters: [{ name: "size", value: "1" }], default: true }],
    },
    files: { "README.md": "# Readme" },
  });
  const done = await ended(all, job.id);
  assert.equal(done.error, null);
  const variables = await all.db.getVariablesForJob({ templateVersionId: versionId });
  assert.deepEqual(
    variables.map(({ name, value }) => [name, value]),
    [["given", "x"]],
  );
  const { v: version } = await all.db.getVersionForJob({ id: versionId });
  assert.equal(version.readme, "# Readme");
  assert.equal(version.hasAiTask, false);
});

test("an import that wants values for variables fails with the code that clients ask by", async (t) => {
  const all = await setup(t);
  await withDaemon(t, all);
  const { job } = await postImport(all, {
    parse: { templateVariables: [{ name: "given" }, { name: "region", required: true }] },
  });
  const done = await ended(all, job.id);
  assert.equal(done.errorCode, "REQUIRED_TEMPLATE_VARIABLES");
  assert.match(done.error ?? "", /required template variables need values: region/);
});

test("a failed apply keeps the state that it left, in the transaction of the failure", async (t) => {
  const all = await setup(t);
  await withDaemon(t, all);
  const { job, build } = await postBuild(all, { apply: { error: "no disk", state: Buffer.from("half") } });
  const done = await ended(all, job.id);
  assert.equal(done.error, "no disk");
  assert.equal((await all.db.getBuildState({ buildId: build.id }))?.state.toString(), "half");
});

test("names that the template got wrong reach the user, and nothing of the result stays", async (t) => {
  const all = await setup(t);
  await withDaemon(t, all);
  const { job } = await postBuild(all, {
    graph: { resources: [{ name: "r", type: "t", agents: [{ name: "bad_name" }] }] },
  });
  const done = await ended(all, job.id);
  assert.match(
    done.error ?? "",
    /^internal provisionerserver error: execute transaction: insert resource: agent name "bad_name" contains underscores/,
  );
});

test("a delete build marks the workspace deleted and its agents with it", async (t) => {
  const all = await setup(t);
  await withDaemon(t, all);
  const graph = { resources: [{ name: "r", type: "t", agents: [{ name: "dev" }] }] };
  const first = await postBuild(all, { graph });
  await ended(all, first.job.id);
  const { workspaceId } = first.build;
  const second = await postBuild(all, {}, { workspaceId, buildNumber: 2, transition: "delete" });
  await ended(all, second.job.id);
  const facts = await all.db.getWorkspaceForJob({ buildId: second.build.id });
  assert.equal(facts.w.deleted, true);
});

test("followers get lines as they come and end with the job", async (t) => {
  const all = await setup(t);
  const { job } = await postBuild(all, { plan: { logs: ["one", "two"], answer: {} } });
  const seen: string[] = [];
  const following = (async () => {
    for await (const line of followLogs(all.ctx, all.deps, { jobId: job.id, after: 0 })) {
      seen.push(line.output);
    }
  })();
  await withDaemon(t, all);
  await following;
  assert.deepEqual(
    seen.filter((output) => output !== ""),
    ["one", "two"],
  );
});

test("a cancel reaches the running job; a pending one ends at once", async (t) => {
  const all = await setup(t);
  const { ctx, deps } = all;
  const pending = await postBuild(all, {});
  await deps.store.inTx(ctx, {}, (tx) => cancelJob(ctx, tx, deps.pubsub, { jobId: pending.job.id }));
  assert.equal((await ended(all, pending.job.id)).jobStatus, "canceled");
  await assert.rejects(
    deps.store.inTx(ctx, {}, (tx) => cancelJob(ctx, tx, deps.pubsub, { jobId: pending.job.id })),
    /already completed/,
  );
  await withDaemon(t, all);
  const running = await postBuild(all, { plan: { logs: ["holding"], answer: "hang" } });
  await eventually("the job runs", async () =>
    (await readLogs(ctx, deps.store, { jobId: running.job.id, after: 0 })).some(
      ({ output }) => output === "holding",
    ),
  );
  await deps.store.inTx(ctx, {}, (tx) =>
    cancelJob(ctx, tx, deps.pubsub, { jobId: running.job.id, expect: "running" }),
  );
  const done = await ended(all, running.job.id);
  assert.equal(done.error, "canceled");
});

/** A daemon that speaks for itself. */
async function rawDaemon(all: Setup, name: string): Promise<DrpcClient<typeof ProvisionerDaemon>> {
  const row = await dbgen.provisionerDaemon(all.db, { name });
  const identity = { ...row, types: row.provisioners, apiVersion: "1.18" };
  return drpcClient(ProvisionerDaemon, memoryStreams(provisionerdRouter(all.ctx, all.deps, identity)));
}

test("a daemon can only report on jobs that it owns and that still run", async (t) => {
  const all = await setup(t);
  const { job } = await postBuild(all, {});
  const owner = await rawDaemon(all, "owner");
  const thief = await rawDaemon(all, "thief");
  await assert.rejects(thief.updateJob({ jobId: job.id }), /job isn't running yet/);
  assert.equal((await owner.acquireJob({})).jobId, job.id);
  await assert.rejects(thief.updateJob({ jobId: job.id }), /you don't own this job/);
  await assert.rejects(thief.failJob({ jobId: job.id }), /you don't own this job/);
  await assert.rejects(
    thief.completeJob({ jobId: job.id, type: { case: "workspaceBuild", value: {} } }),
    /own/,
  );
  await assert.rejects(
    owner.completeJob({ jobId: job.id, type: { case: "templateImport", value: {} } }),
    /cannot complete as/,
  );
  await assert.rejects(owner.updateJob({ jobId: "no uuid" }), /no uuid/);
  await owner.failJob({ jobId: job.id, error: "x" });
  await assert.rejects(owner.failJob({ jobId: job.id, error: "y" }), /already completed/);
});

test("the log of a job is bounded, and says so once", async (t) => {
  const all = await setup(t);
  const { job } = await postBuild(all, {});
  const daemon = await rawDaemon(all, "noisy");
  await daemon.acquireJob({});
  const line = { level: LogLevel.INFO, createdAt: 1n, stage: "s", output: "x".repeat(100_000) };
  for (let i = 0; i < 3; i++) {
    await daemon.updateJob({ jobId: job.id, logs: Array.from({ length: 6 }, () => line) });
  }
  const logs = await readLogs(all.ctx, all.deps.store, { jobId: job.id, after: 0 });
  assert.equal(logs.length, 11);
  assert.equal(logs[0]?.output.length, 1024);
  assert.match(logs[10]?.output ?? "", /exceeded the max size/);
  assert.equal(logs[10]?.log_level, "warn");
  assert.equal((await all.db.getProvisionerJobById({ id: job.id })).logsOverflowed, true);
});

test("a job whose file is gone ends with the reason", async (t) => {
  const all = await setup(t);
  const id = cryptoRand.uuid();
  const workspace = await workspaces.workspace(all.db, {
    ownerId: all.scene.owner.id,
    templateId: all.scene.template.id,
  });
  const job = await dbgen.provisionerJob(all.db, {
    workspaceId: workspace.id,
    input: { workspace_build_id: id },
  });
  const daemon = await rawDaemon(all, "d");
  await assert.rejects(daemon.acquireJob({}), /request job was invalidated/);
  assert.equal((await ended(all, job.id)).jobStatus, "failed");
});

test("the next life of a replica ends the jobs of the one before", async (t) => {
  const all = await setup(t);
  const { job } = await postBuild(all, {});
  const row = await dbgen.provisionerDaemon(all.db, { name: "test-0" });
  await all.deps.acquirer.acquire(
    all.ctx,
    { organizationId: row.organizationId, workerId: row.id, types: ["echo"], tags: row.tags },
    new AbortController().signal,
  );
  await withDaemon(t, all);
  const done = await ended(all, job.id);
  assert.match(done.error ?? "", /was killed/);
});
