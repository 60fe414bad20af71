import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type Clock, realClock, waits } from "#quartz/clock.ts";
import { MockClock } from "#quartz/mock.ts";
import { eventually } from "#testutil/testutil.ts";
import { discardLogger } from "#slog/slog.ts";
import { newCtx, type Ctx } from "../ctx.ts";
import { authorize } from "../database/dbauthz/dbauthz.ts";
import { rules } from "../database/dbauthz/rules.ts";
import { addBuild, workspaceScene } from "../database/dbfake/dbfake.ts";
import * as dbgen from "../database/dbgen/dbgen.ts";
import { newDb } from "../database/dbtestutil/dbtestutil.ts";
import type { Store } from "../database/db.ts";
import { MemoryPubsub } from "../database/pubsub/memory-pubsub.ts";
import { actors } from "../rbac/actors.ts";
import { reapOnce, type ReaperDeps, runJobReaper } from "./jobreaper.ts";

async function setup(t: TestContext): Promise<{ db: Store; ctx: Ctx; deps: ReaperDeps }> {
  const { store: db } = await newDb(t);
  const deps = { store: authorize(db, rules), pubsub: new MemoryPubsub() };
  const { signal } = new AbortController();
  const ctx = newCtx({
    actor: actors.jobReaper,
    signal,
    log: discardLogger,
    requestId: "test",
    clock: realClock,
  });
  return { db, ctx, deps };
}

const ago = (minutes: number): Date => new Date(realClock.now().getTime() - minutes * 60_000);

test("a silent job and one that never started end with their reasons; others are left alone", async (t) => {
  const { db, ctx, deps } = await setup(t);
  const hung = await dbgen.provisionerJob(db, { startedAt: ago(20), updatedAt: ago(6) });
  const pending = await dbgen.provisionerJob(db, { updatedAt: ago(31) });
  const alive = await dbgen.provisionerJob(db, { startedAt: ago(60), updatedAt: ago(4) });
  const young = await dbgen.provisionerJob(db, { updatedAt: ago(29) });
  await dbgen.provisionerJobLog(db, { jobId: hung.id, stage: "Planning" });
  const ended = await reapOnce(ctx, deps);
  assert.deepEqual(new Set(ended), new Set([hung.id, pending.id]));
  const after = await db.getProvisionerJobById({ id: hung.id });
  assert.equal(after.jobStatus, "failed");
  assert.match(after.error ?? "", /detected as hung for 5 minutes and has been terminated/);
  const never = await db.getProvisionerJobById({ id: pending.id });
  assert.match(never.error ?? "", /detected as pending for 30 minutes/);
  assert.ok(never.startedAt);
  const logs = await db.getProvisionerJobLogsAfter({ jobId: hung.id, after: 0, max: 100 });
  assert.deepEqual(
    logs.slice(1).map(({ stage, level }) => [stage, level]),
    Array.from({ length: 5 }, () => ["Planning", "error"]),
  );
  for (const { id } of [alive, young]) {
    assert.equal((await db.getProvisionerJobById({ id })).completedAt, null);
  }
  assert.deepEqual(await reapOnce(ctx, deps), []);
});

test("a build without a state of its own keeps that of the build before", async (t) => {
  const { db, ctx, deps } = await setup(t);
  const scene = await workspaceScene(db);
  await db.upsertBuildState({ buildId: scene.build.id, state: Buffer.from("kept") });
  const { build } = await addBuild(db, {
    scene,
    workspace: scene.workspace,
    build: { buildNumber: 2 },
    job: { completedAt: null, updatedAt: ago(6) },
  });
  assert.equal((await reapOnce(ctx, deps)).length, 1);
  assert.equal((await db.getBuildState({ buildId: build.id }))?.state.toString(), "kept");
  const [row, ...more] = await db.getAuditLogsOfResource({ resourceId: build.id });
  assert.deepEqual([row?.l.action, row?.l.statusCode, more.length], [build.transition, 500, 0]);
});

test("a job that somebody holds is left to the next pass", async (t) => {
  const { db, ctx, deps } = await setup(t);
  const job = await dbgen.provisionerJob(db, { startedAt: ago(20), updatedAt: ago(6) });
  const held = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holding = db.inTx({}, async (tx) => {
    await tx.lockProvisionerJob({ id: job.id });
    held.resolve();
    await release.promise;
  });
  await held.promise;
  assert.deepEqual(await reapOnce(ctx, deps), []);
  release.resolve();
  await holding;
  assert.deepEqual(await reapOnce(ctx, deps), [job.id]);
});

test("a clock that jumps ahead ends no job whose daemon lives; the pass after it ends those that stay silent", async (t) => {
  const { db, deps } = await setup(t);
  const mock = new MockClock(realClock.now().toISOString());
  let ahead = 0;
  const now = (): Date => new Date(mock.now().getTime() + ahead);
  const timer: Clock["timer"] = (ms, fn, options) => mock.timer(ms, fn, options);
  const clock: Clock = { now, timer, monotonic: () => mock.monotonic(), ...waits(timer, now) };
  const stop = new AbortController();
  const ctx = newCtx({
    actor: actors.jobReaper,
    signal: stop.signal,
    log: discardLogger,
    requestId: "test",
    clock,
  });
  const alive = await dbgen.provisionerJob(db, { startedAt: ago(1), updatedAt: now() });
  const dead = await dbgen.provisionerJob(db, { startedAt: ago(1), updatedAt: now() });
  const tick = mock.trap("jobreaper");
  const running = runJobReaper(ctx, deps);
  await tick.wait();
  ahead = 3_600_000;
  await mock.advance(60_000);
  await tick.wait();
  const isOver = async (id: string) => (await db.getProvisionerJobById({ id })).completedAt !== null;
  assert.deepEqual([await isOver(alive.id), await isOver(dead.id)], [false, false]);
  await db.touchProvisionerJob({ id: alive.id, now: now() });
  await mock.advance(60_000);
  await eventually("the silent one is ended", () => isOver(dead.id));
  assert.equal(await isOver(alive.id), false);
  stop.abort(new Error("the test is over"));
  await running;
});

test("five minutes for a job that runs, thirty for one that waits, to the second", async (t) => {
  const { db, deps } = await setup(t);
  const clock = new MockClock();
  const { signal } = new AbortController();
  const ctx = newCtx({ actor: actors.jobReaper, signal, log: discardLogger, requestId: "test", clock });
  const now = clock.now();
  const started = await dbgen.provisionerJob(db, { createdAt: now, startedAt: now, updatedAt: now });
  const waiting = await dbgen.provisionerJob(db, { createdAt: now, updatedAt: now });
  await clock.advance(5 * 60_000);
  assert.deepEqual(await reapOnce(ctx, deps), []);
  await clock.advance(1_000);
  assert.deepEqual(await reapOnce(ctx, deps), [started.id]);
  await clock.advance(25 * 60_000 - 1_000);
  assert.deepEqual(await reapOnce(ctx, deps), []);
  await clock.advance(1_000);
  assert.deepEqual(await reapOnce(ctx, deps), [waiting.id]);
});
