import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MockClock } from "#quartz/mock.ts";
import { discardLogger } from "#slog/slog.ts";
import { newCtx } from "../ctx.ts";
import { authorize } from "../database/dbauthz/dbauthz.ts";
import { rules } from "../database/dbauthz/rules.ts";
import * as dbgen from "../database/dbgen/dbgen.ts";
import { newDb } from "../database/dbtestutil/dbtestutil.ts";
import { MemoryPubsub } from "../database/pubsub/memory-pubsub.ts";
import { actors } from "../rbac/actors.ts";
import { endForgottenJobs } from "./forgotten-jobs.ts";

async function setup(t: TestContext) {
  const { store: db } = await newDb(t);
  const clock = new MockClock();
  const stop = new AbortController();
  t.after(() => stop.abort(new Error("the test is over")));
  const ctx = newCtx({
    actor: actors.provisionerd,
    signal: stop.signal,
    log: discardLogger,
    requestId: "test",
    clock,
  });
  const deps = { store: authorize(db, rules), pubsub: new MemoryPubsub() };
  const daemon = await dbgen.provisionerDaemon(db);
  const ago = (ms: number): Date => new Date(clock.now().getTime() - ms);
  const job = (updatedMsAgo: number, workerId: string | null = daemon.id) =>
    dbgen.provisionerJob(db, { workerId, startedAt: ago(60_000), updatedAt: ago(updatedMsAgo) });
  const errorOf = async (id: string) => (await db.getProvisionerJobById({ id })).error;
  return { db, clock, ctx, deps, daemon, job, errorOf };
}

const never = new AbortController().signal;

test("an open job of a daemon that asks for one ends when it was silent for 15 seconds, not before", async (t) => {
  const { clock, ctx, deps, daemon, job, errorOf } = await setup(t);
  const silent = await job(15_000);
  const fresh = await job(6_000);
  const slept = clock.trap("forgotten-jobs");
  const looking = endForgottenJobs(ctx, deps, daemon, never);
  await slept.wait();
  assert.match((await errorOf(silent.id)) ?? "", /has not told of this one for 15 seconds/);
  assert.equal(await errorOf(fresh.id), null);
  await clock.advance(5_000);
  await slept.wait();
  assert.equal(await errorOf(fresh.id), null);
  await clock.advance(5_000);
  await looking;
  assert.match((await errorOf(fresh.id)) ?? "", /stopped in between/);
});

test("a job that is told of, jobs of others and ended ones stay as they are", async (t) => {
  const { db, clock, ctx, deps, daemon, job, errorOf } = await setup(t);
  const other = await job(60_000, (await dbgen.provisionerDaemon(db)).id);
  const told = await job(14_000);
  const stop = new AbortController();
  const slept = clock.trap("forgotten-jobs");
  const looking = endForgottenJobs(ctx, deps, daemon, stop.signal);
  await slept.wait();
  await db.touchProvisionerJob({ id: told.id, now: clock.now() });
  await clock.advance(5_000);
  await slept.wait();
  stop.abort(new Error("the daemon has a job"));
  await looking;
  assert.equal(await errorOf(told.id), null);
  assert.equal(await errorOf(other.id), null);
});

test("a daemon without open jobs costs one look", async (t) => {
  const { ctx, deps, daemon } = await setup(t);
  await endForgottenJobs(ctx, deps, daemon, never);
});
