import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import pg from "pg";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { clientConfig } from "./connection.ts";
import { newDb } from "./dbtestutil/dbtestutil.ts";
import { isUniqueViolation, NoRows } from "./errors.ts";
import { Database, requireVersion, type Store } from "./db.ts";

const at = new Date("2026-01-02T03:04:05.678Z");

function insertUser(store: Store, username: string) {
  return store.insertUser({
    id: cryptoRand.uuid(),
    email: `${username}@example.com`,
    username,
    name: "",
    avatarUrl: "",
    status: "active",
    loginType: "password",
    rbacRoles: ["owner", 'odd "name", {x}\\'],
    hashedPassword: Buffer.from([0, 1, 255]),
    isServiceAccount: false,
    createdAt: at,
    updatedAt: at,
  });
}

describe("Store", () => {
  it("gives back what was stored: times, arrays, bytes, null", async (t) => {
    const { store } = await newDb(t);
    const made = await insertUser(store, "ada");
    const read = await store.getUserById({ id: made.id });
    assert.deepEqual(read, made);
    assert.equal(read.createdAt.getTime(), at.getTime());
    assert.deepEqual(read.rbacRoles, ["owner", 'odd "name", {x}\\']);
    assert.deepEqual([...read.hashedPassword], [0, 1, 255]);
    assert.equal(read.lastSeenAt, null);
  });

  it(":one without a row throws NoRows with the query's name", async (t) => {
    const { store } = await newDb(t);
    await assert.rejects(store.getUserById({ id: cryptoRand.uuid() }), (error) => {
      assert.ok(error instanceof NoRows);
      assert.equal(error.query, "getUserById");
      return true;
    });
    assert.equal(await store.getSiteConfig({ key: "none" }), undefined);
  });

  it("tells unique violations by their constraint", async (t) => {
    const { store } = await newDb(t);
    await insertUser(store, "ada");
    await assert.rejects(insertUser(store, "ADA"), (error) =>
      isUniqueViolation(error, "users_username_lower_idx"),
    );
  });

  it("splices a filter with its own parameters", async (t) => {
    const { store } = await newDb(t);
    const all = await store.getOrganizations({});
    assert.equal(all.length, 1);
    const none = await store.getOrganizations({}, { filter: { text: "o.name = $1", values: ["other"] } });
    assert.deepEqual(none, []);
    const some = await store.getOrganizations({}, { filter: { text: "o.name = $1", values: ["coder"] } });
    assert.deepEqual(some, all);
    await assert.rejects(
      store.getDefaultOrganization({}, { filter: { text: "true", values: [] } }),
      /no place for a filter/,
    );
  });

  it("an aborted signal cancels the statement that runs, and the connection stays usable", async (t) => {
    const { store } = await newDb(t, { maxConnections: 3 });
    const controller = new AbortController();
    const outside = AsyncResource.bind((fn: () => Promise<void>) => fn());
    await store.inTx({}, async (holder) => {
      await holder.upsertSiteConfig({ key: "k", value: "held" });
      const waiting = outside(() =>
        store.upsertSiteConfig({ key: "k", value: "x" }, { signal: controller.signal }),
      );
      const rejected = assert.rejects(waiting, /gone/);
      controller.abort(new Error("gone"));
      await rejected;
    });
    assert.deepEqual(await store.getSiteConfig({ key: "k" }), { value: "held" });
    await assert.rejects(
      store.getOrganizations({}, { signal: AbortSignal.abort(new Error("early")) }),
      /early/,
    );
  });
});

describe("inTx", () => {
  it("commits, then runs afterCommit in order", async (t) => {
    const { store } = await newDb(t);
    const seen: string[] = [];
    const user = await store.inTx({}, async (tx) => {
      const made = await insertUser(tx, "ada");
      tx.afterCommit(async () => {
        seen.push((await store.getUserById({ id: made.id })).username);
      });
      tx.afterCommit(() => {
        seen.push("second");
      });
      assert.deepEqual(seen, []);
      return made;
    });
    assert.equal(user.username, "ada");
    assert.deepEqual(seen, ["ada", "second"]);
  });

  it("rolls back on an error, and afterCommit does not run", async (t) => {
    const { store } = await newDb(t);
    let ran = false;
    const failed = store.inTx({}, async (tx) => {
      await insertUser(tx, "ada");
      tx.afterCommit(() => {
        ran = true;
      });
      throw new Error("no");
    });
    await assert.rejects(failed, /^Error: no$/);
    assert.equal(ran, false);
    assert.equal((await store.getUserCount({ includeSystem: false })).count, 0);
  });

  it("a failed statement that was swallowed does not pass as a commit", async (t) => {
    const { store } = await newDb(t);
    await insertUser(store, "ada");
    const failed = store.inTx({}, async (tx) => {
      await insertUser(tx, "ada").catch(() => {});
      await insertUser(tx, "bob").catch(() => {});
    });
    await assert.rejects(failed, /rolled back/);
  });

  it("the outer store inside, and the transaction after its end, throw", async (t) => {
    const { store } = await newDb(t, { maxConnections: 1 });
    await assert.rejects(
      store.inTx({}, () => store.getDefaultOrganization({})),
      /outer store/,
    );
    const ended = await store.inTx({}, async (tx) => tx);
    await assert.rejects(ended.getDefaultOrganization({}), /has ended/);
    assert.throws(() => ended.afterCommit(() => {}), /has ended/);
    await store.getDefaultOrganization({});
  });

  it("runs again after a serialization failure", async (t) => {
    const { store } = await newDb(t);
    await store.upsertSiteConfig({ key: "n", value: "0" });
    let runs = 0;
    const add = () =>
      store.inTx({ isolation: "serializable" }, async (tx) => {
        runs++;
        const before = await tx.getSiteConfig({ key: "n" });
        await tx.upsertSiteConfig({ key: "n", value: String(Number(before?.value) + 1) });
      });
    await Promise.all([add(), add(), add()]);
    assert.deepEqual(await store.getSiteConfig({ key: "n" }), { value: "3" });
    assert.ok(runs >= 3);
  });

  it("joins when nested, and refuses a stronger isolation inside", async (t) => {
    const { store } = await newDb(t);
    await store.inTx({}, async (tx) => {
      await tx.inTx({}, (inner) => insertUser(inner, "ada"));
      assert.equal((await tx.getUserCount({ includeSystem: false })).count, 1);
      await assert.rejects(
        tx.inTx({ isolation: "serializable" }, async () => {}),
        /inside a transaction/,
      );
    });
  });

  it("advisory locks exclude each other and end with the transaction", async (t) => {
    const { store } = await newDb(t);
    const gate = new EventEmitter();
    const first = store.inTx({}, async (tx) => {
      assert.equal(await tx.tryLock("x"), true);
      const released = once(gate, "release");
      gate.emit("held");
      await released;
    });
    await once(gate, "held");
    assert.equal(await store.inTx({}, (tx) => tx.tryLock("x")), false);
    gate.emit("release");
    await first;
    assert.equal(await store.inTx({}, (tx) => tx.tryLock("x")), true);
  });

  it("a connection that breaks between two statements fails the transaction, not the process", async (t) => {
    const { store, connection } = await newDb(t);
    const admin = new pg.Client(clientConfig(connection));
    await admin.connect();
    const failed = store.inTx({}, async (tx) => {
      await tx.upsertSiteConfig({ key: "k", value: "lost" });
      await admin.query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
      await realClock.sleep(0);
      await tx.getSiteConfig({ key: "k" });
    });
    await assert.rejects(failed);
    await admin.end();
    assert.equal(await store.getSiteConfig({ key: "k" }), undefined);
  });

  it("read-only transactions cannot write", async (t) => {
    const { store } = await newDb(t);
    await assert.rejects(
      store.inTx({ readOnly: true }, (tx) => insertUser(tx, "ada")),
      /read-only/,
    );
  });
});

describe("Database", () => {
  it("opens a postgres:// URL", async (t) => {
    const { url } = await newDb(t);
    await using database = await Database.open({ connection: url, log: discardLogger, clock: realClock });
    assert.equal((await database.store.getDefaultOrganization({})).name, "coder");
  });

  it("says why a server does not answer", async () => {
    const connection = "postgres://coder@127.0.0.1:1/none";
    await assert.rejects(Database.open({ connection, log: discardLogger, clock: realClock }), /ECONNREFUSED/);
  });
});

describe("requireVersion", () => {
  it("refuses servers that are too old, and what is no version", () => {
    requireVersion("15.4 (Debian 15.4-1)");
    requireVersion("18beta1");
    assert.throws(() => requireVersion("14.9"), /PostgreSQL 15 or newer is needed: the server is 14\.9/);
    assert.throws(() => requireVersion(""), /is needed/);
  });
});
