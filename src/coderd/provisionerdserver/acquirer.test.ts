import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MockClock } from "#quartz/mock.ts";
import { realClock, type Clock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { newCtx, type Ctx } from "../ctx.ts";
import { authorize, type AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { rules } from "../database/dbauthz/rules.ts";
import type { Store } from "../database/db.ts";
import * as dbgen from "../database/dbgen/dbgen.ts";
import { newDb } from "../database/dbtestutil/dbtestutil.ts";
import { MemoryPubsub } from "../database/pubsub/memory-pubsub.ts";
import { publishPosting } from "../provisionerjobs/messages.ts";
import { actors } from "../rbac/actors.ts";
import { Acquirer, type Wanted } from "./acquirer.ts";

interface Setup {
  readonly db: Store;
  readonly pubsub: MemoryPubsub;
  readonly acquirer: Acquirer;
  readonly ctx: Ctx;
  /** Counts queries for a job. */
  readonly asked: () => number;
  readonly wanted: (tags?: Record<string, string>) => Promise<Wanted>;
}

async function setup(t: TestContext, clock: Clock = realClock): Promise<Setup> {
  const { store: db } = await newDb(t);
  const inner = authorize(db, rules);
  let asked = 0;
  const store = {
    acquireProvisionerJob: (...args: Parameters<AuthzStore["acquireProvisionerJob"]>) => {
      asked++;
      return inner.acquireProvisionerJob(...args);
    },
  };
  const pubsub = new MemoryPubsub();
  const signal = new AbortController().signal;
  const ctx = newCtx({ actor: actors.provisionerd, signal, log: discardLogger, requestId: "test", clock });
  const acquirer = await Acquirer.start(ctx, { store, pubsub });
  t.after(() => acquirer[Symbol.asyncDispose]());
  const organizationId = (await db.getDefaultOrganization({})).id;
  return {
    db,
    pubsub,
    acquirer,
    ctx,
    asked: () => asked,
    async wanted(tags = dbgen.untagged) {
      const daemon = await dbgen.provisionerDaemon(db, { tags });
      return { organizationId, workerId: daemon.id, types: ["echo"], tags };
    },
  };
}

const never = new AbortController().signal;

test("a job that waits is given at once, oldest first", async (t) => {
  const { db, acquirer, ctx, wanted } = await setup(t);
  const second = await dbgen.provisionerJob(db, { createdAt: new Date(2000) });
  const first = await dbgen.provisionerJob(db, { createdAt: new Date(1000) });
  const worker = await wanted();
  assert.equal((await acquirer.acquire(ctx, worker, never))?.id, first.id);
  const job = await acquirer.acquire(ctx, worker, never);
  assert.equal(job?.id, second.id);
  assert.equal(job?.workerId, worker.workerId);
  assert.equal(job?.jobStatus, "running");
});

test("a posting wakes a daemon that waits", async (t) => {
  const { db, acquirer, ctx, wanted, pubsub } = await setup(t);
  const waiting = acquirer.acquire(ctx, await wanted(), never);
  const job = await dbgen.provisionerJob(db);
  await publishPosting(pubsub, job);
  assert.equal((await waiting)?.id, job.id);
});

test("many daemons share many jobs, each job once", async (t) => {
  const { db, acquirer, ctx, wanted, pubsub } = await setup(t);
  const workers = await Promise.all(Array.from({ length: 8 }, () => wanted()));
  const jobs = workers.map((worker) => acquirer.acquire(ctx, worker, never));
  const posted = await Promise.all(workers.map(() => dbgen.provisionerJob(db)));
  for (const job of posted) await publishPosting(pubsub, job);
  const got = (await Promise.all(jobs)).map((job) => job?.id);
  assert.deepEqual(new Set(got), new Set(posted.map(({ id }) => id)));
});

test("one posting costs one query per domain, however many wait", async (t) => {
  const { db, acquirer, ctx, wanted, pubsub, asked } = await setup(t);
  const stop = new AbortController();
  const workers = await Promise.all(Array.from({ length: 10 }, () => wanted()));
  const waiting = workers.map((worker) => acquirer.acquire(ctx, worker, stop.signal));
  const job = await dbgen.provisionerJob(db);
  await publishPosting(pubsub, job);
  assert.equal((await Promise.race(waiting))?.id, job.id);
  stop.abort();
  await Promise.all(waiting);
  // The domain's first look, the posting, and the clearance that the lucky one hands on.
  assert.ok(asked() <= 3, `asked ${asked()} times`);
});

test("tags: an untagged job never runs on a tagged daemon, a tagged one only where all its tags are", async (t) => {
  const { db, acquirer, ctx, wanted, pubsub } = await setup(t);
  const stop = new AbortController();
  const tagged = acquirer.acquire(ctx, await wanted({ ...dbgen.untagged, a: "1", b: "2" }), stop.signal);
  const plain = acquirer.acquire(ctx, await wanted(), stop.signal);
  const untagged = await dbgen.provisionerJob(db);
  await publishPosting(pubsub, untagged);
  assert.equal((await plain)?.id, untagged.id);
  const other = await dbgen.provisionerJob(db, { tags: { ...dbgen.untagged, a: "2" } });
  await publishPosting(pubsub, other);
  const fitting = await dbgen.provisionerJob(db, { tags: { ...dbgen.untagged, a: "1" } });
  await publishPosting(pubsub, fitting);
  assert.equal((await tagged)?.id, fitting.id);
});

test("jobs of other organizations and other types are left alone", async (t) => {
  const { db, acquirer, ctx, wanted, pubsub } = await setup(t);
  const foreign = await dbgen.organization(db);
  const stop = new AbortController();
  const waiting = acquirer.acquire(ctx, await wanted(), stop.signal);
  await publishPosting(pubsub, await dbgen.provisionerJob(db, { organizationId: foreign.id }));
  await publishPosting(pubsub, await dbgen.provisionerJob(db, { provisioner: "terraform" }));
  const right = await dbgen.provisionerJob(db);
  await publishPosting(pubsub, right);
  assert.equal((await waiting)?.id, right.id);
});

test("a lost posting only delays: the poll finds the job, and so does a dropped subscription", async (t) => {
  const clock = new MockClock();
  const { db, acquirer, ctx, wanted, pubsub } = await setup(t, clock);
  const worker = await wanted();
  const waiting = acquirer.acquire(ctx, worker, never);
  assert.equal(await acquirer.acquire(ctx, worker, AbortSignal.abort()), undefined);
  const job = await dbgen.provisionerJob(db);
  await clock.advance(30_000);
  assert.equal((await waiting)?.id, job.id);
  const again = acquirer.acquire(ctx, worker, never);
  const second = await dbgen.provisionerJob(db);
  pubsub.drop();
  assert.equal((await again)?.id, second.id);
});

test("a cancelled waiter leaves without a job and hands its clearance on", async (t) => {
  const { db, acquirer, ctx, wanted, pubsub } = await setup(t);
  const stop = new AbortController();
  const leaves = acquirer.acquire(ctx, await wanted(), stop.signal);
  const stays = acquirer.acquire(ctx, await wanted(), never);
  stop.abort();
  assert.equal(await leaves, undefined);
  const job = await dbgen.provisionerJob(db);
  await publishPosting(pubsub, job);
  assert.equal((await stays)?.id, job.id);
});
