import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import pg from "pg";
import { realClock } from "#quartz/clock.ts";
import { MockClock } from "#quartz/mock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually } from "#testutil/testutil.ts";
import { clientConfig } from "../connection.ts";
import { newDb, newDbWithPubsub } from "../dbtestutil/dbtestutil.ts";
import { MemoryPubsub } from "./memory-pubsub.ts";
import { PgPubsub } from "./pg-pubsub.ts";
import { maxPayload, type Pubsub } from "./pubsub.ts";

const implementations: Readonly<Record<string, (t: TestContext) => Promise<Pubsub>>> = {
  MemoryPubsub: async () => new MemoryPubsub(),
  PgPubsub: async (t) => (await newDbWithPubsub(t)).pubsub,
};

for (const [name, start] of Object.entries(implementations)) {
  describe(name, () => {
    it("delivers to every subscriber of the channel, in order, and to nobody else", async (t) => {
      const pubsub = await start(t);
      const seen: string[] = [];
      using _a = await pubsub.subscribe("one", { message: (payload) => void seen.push(`a ${payload}`) });
      using _b = await pubsub.subscribe("one", { message: (payload) => void seen.push(`b ${payload}`) });
      using _c = await pubsub.subscribe('odd "name"', {
        message: (payload) => void seen.push(`c ${payload}`),
      });
      await pubsub.publish("one", "1");
      await pubsub.publish("one", "2");
      await pubsub.publish("nobody", "x");
      await pubsub.publish('odd "name"', "ünï");
      await eventually("all messages", () => seen.length === 5);
      assert.deepEqual(seen, ["a 1", "b 1", "a 2", "b 2", "c ünï"]);
    });

    it("ends a subscription at once; others of the channel stay", async (t) => {
      const pubsub = await start(t);
      const seen: string[] = [];
      const first = await pubsub.subscribe("one", { message: () => void seen.push("ended") });
      using _second = await pubsub.subscribe("one", { message: (payload) => void seen.push(payload) });
      first[Symbol.dispose]();
      first[Symbol.dispose]();
      await pubsub.publish("one", "1");
      await eventually("message", () => seen.length > 0);
      assert.deepEqual(seen, ["1"]);
    });

    it("a channel can be left and joined again", async (t) => {
      const pubsub = await start(t);
      const seen: string[] = [];
      for (const round of ["1", "2", "3"]) {
        using _ = await pubsub.subscribe("one", { message: (payload) => void seen.push(payload) });
        await pubsub.publish("one", round);
        await eventually("message", () => seen.at(-1) === round);
      }
      assert.deepEqual(seen, ["1", "2", "3"]);
    });

    it("a listener that throws does not hurt the others", async (t) => {
      const pubsub = await start(t);
      const seen: string[] = [];
      const bad = {
        message() {
          throw new Error("bad listener");
        },
      };
      using _bad = await pubsub.subscribe("one", bad);
      using _good = await pubsub.subscribe("one", { message: (payload) => void seen.push(payload) });
      await pubsub.publish("one", "1");
      await eventually("message", () => seen.length === 1);
    });

    it("takes messages up to the limit and refuses larger ones, and bad channel names", async (t) => {
      const pubsub = await start(t);
      let length = 0;
      using _ = await pubsub.subscribe("one", { message: (payload) => void (length = payload.length) });
      await pubsub.publish("one", "x".repeat(maxPayload));
      await eventually("message", () => length === maxPayload);
      await assert.rejects(pubsub.publish("one", "x".repeat(maxPayload + 1)), /8000 bytes/);
      await assert.rejects(pubsub.publish("x".repeat(64), ""), /channel name/);
      await assert.rejects(pubsub.subscribe("", { message() {} }), /channel name/);
    });

    it("refuses a signal that has aborted", async (t) => {
      const pubsub = await start(t);
      await assert.rejects(
        pubsub.subscribe("one", { message() {} }, AbortSignal.abort(new Error("gone"))),
        /gone/,
      );
    });
  });
}

describe("PgPubsub", () => {
  it("reconnects when its connection is ended, tells of the gap, and delivers again", async (t) => {
    const { pubsub, connection } = await newDbWithPubsub(t);
    const seen: string[] = [];
    using _ = await pubsub.subscribe("one", {
      message: (payload) => void seen.push(payload),
      dropped: () => void seen.push("dropped"),
    });
    const admin = new pg.Client(clientConfig(connection));
    await admin.connect();
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    );
    await admin.end();
    await eventually("told of the gap", () => seen.includes("dropped"));
    await pubsub.publish("one", "after");
    await eventually("message", () => seen.includes("after"));
    assert.deepEqual(seen, ["dropped", "after"]);
  });

  it("the heartbeat replaces a connection that does not answer", async (t) => {
    const { database, connection } = await newDb(t);
    const clock = new MockClock();
    await using pubsub = await PgPubsub.start({ database, clock, log: discardLogger });
    let dropped = false;
    using _ = await pubsub.subscribe("one", { message() {}, dropped: () => void (dropped = true) });
    const admin = new pg.Client(clientConfig(connection));
    await admin.connect();
    const { rows } = await admin.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    );
    const pid = rows[0]?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    try {
      await clock.advance(15_000); // the heartbeat goes out
      await clock.advance(15_000); // and is not answered
      await eventually("a new connection", () => dropped);
    } finally {
      process.kill(pid, "SIGCONT");
      await admin.end();
    }
  });

  it("publishing inside a transaction throws: the message would precede its data", async (t) => {
    const { pubsub, store } = await newDbWithPubsub(t);
    await assert.rejects(
      store.inTx({}, () => pubsub.publish("one", "1")),
      /afterCommit/,
    );
    const seen: string[] = [];
    using _ = await pubsub.subscribe("one", { message: (payload) => void seen.push(payload) });
    await store.inTx({}, async (tx) => tx.afterCommit(() => pubsub.publish("one", "2")));
    await eventually("message", () => seen.length === 1);
  });

  it("is closed for good", async (t) => {
    const { database } = await newDb(t);
    const pubsub = await PgPubsub.start({ database, clock: realClock, log: discardLogger });
    await pubsub[Symbol.asyncDispose]();
    await assert.rejects(pubsub.subscribe("one", { message() {} }), /closed/);
  });
});
