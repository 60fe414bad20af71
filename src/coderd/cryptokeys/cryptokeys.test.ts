import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { MockClock } from "#quartz/mock.ts";
import { discardLogger } from "#slog/slog.ts";
import { newCtx } from "../ctx.ts";
import { authorize, type AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { rules } from "../database/dbauthz/rules.ts";
import { newDb } from "../database/dbtestutil/dbtestutil.ts";
import type { CryptoKey } from "../database/gen/models.gen.ts";
import { actors } from "../rbac/actors.ts";
import { CryptoKeys } from "./cryptokeys.ts";
import { planRotation, signingKey } from "./rotation.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const start = new Date("2026-01-02T03:04:05Z");
const at = (ms: number): Date => new Date(start.getTime() + ms);

function key(sequence: number, startsAt: Date, deletesAt: Date | null = null): CryptoKey {
  return { feature: "tailnet_resume", sequence, secret: "00", startsAt, deletesAt };
}

describe("planRotation()", () => {
  it("a feature without a key gets one that signs at once", () => {
    assert.deepEqual(planRotation("tailnet_resume", [], start), { remove: [], insert: { startsAt: start } });
  });

  it("a successor is made an hour before the end, and the old key stays for what it has signed", () => {
    const old = key(1, start);
    assert.deepEqual(planRotation("tailnet_resume", [old], at(30 * dayMs - hourMs - 1)), { remove: [] });
    const plan = planRotation("tailnet_resume", [old], at(30 * dayMs - hourMs));
    assert.deepEqual(plan.insert, { startsAt: at(30 * dayMs) });
    assert.deepEqual(plan.retire, { key: old, deletesAt: at(30 * dayMs + hourMs + dayMs) });
    const next = key(2, at(30 * dayMs));
    const both = [next, key(1, start, at(31 * dayMs + hourMs))];
    assert.deepEqual(planRotation("tailnet_resume", both, at(30 * dayMs)), { remove: [] });
    const [, retired] = both;
    assert.deepEqual(planRotation("tailnet_resume", both, at(31 * dayMs + hourMs)).remove, [retired]);
  });

  it("after a long stop the successor still gives every replica half an hour's notice", () => {
    const { insert, retire } = planRotation("workspace_apps_token", [key(1, start)], at(90 * dayMs));
    assert.deepEqual(insert, { startsAt: at(90 * dayMs + hourMs / 2) });
    assert.deepEqual(retire?.deletesAt, at(90 * dayMs + 1.5 * hourMs + 60_000));
  });

  it("a retired key whose successor was removed gets another", () => {
    assert.ok(planRotation("oidc_convert", [key(1, start, at(dayMs))], at(hourMs)).insert);
  });
});

describe("signingKey()", () => {
  it("is the newest that has started and is not over", () => {
    const keys = [key(1, start, at(2 * dayMs)), key(2, at(dayMs))];
    assert.equal(signingKey(keys, at(0))?.sequence, 1);
    assert.equal(signingKey(keys, at(dayMs - 1))?.sequence, 1);
    assert.equal(signingKey(keys, at(dayMs))?.sequence, 2);
    assert.equal(signingKey([key(1, start, at(dayMs))], at(dayMs)), undefined);
  });
});

interface Scene {
  readonly store: AuthzStore;
  readonly clock: MockClock;
  readonly start: () => Promise<CryptoKeys>;
  readonly rows: () => Promise<readonly CryptoKey[]>;
}

async function scene(t: TestContext): Promise<Scene> {
  const { store: db } = await newDb(t);
  const store = authorize(db, rules);
  const clock = new MockClock(start.toISOString());
  const { signal } = new AbortController();
  const ctx = newCtx({ actor: actors.system, signal, log: discardLogger, requestId: "test", clock });
  return {
    store,
    clock,
    start: async () => {
      const keys = await CryptoKeys.start({ store, ctx, clock, rand: cryptoRand });
      t.after(() => keys[Symbol.asyncDispose]());
      return keys;
    },
    rows: () => db.getCryptoKeys({}),
  };
}

describe("CryptoKeys", () => {
  it("replicas that start together make one key for each feature, of its size, and share it", async (t) => {
    const { start: startKeys, rows } = await scene(t);
    const replicas = await Promise.all([startKeys(), startKeys(), startKeys()]);
    const made = await rows();
    assert.deepEqual(
      made.map(({ feature, sequence, secret }) => [feature, sequence, secret?.length]),
      [
        ["workspace_apps_token", 1, 128],
        ["workspace_apps_api_key", 1, 64],
        ["oidc_convert", 1, 128],
        ["tailnet_resume", 1, 128],
      ],
    );
    const [first, ...others] = replicas.map((keys) => keys.signing("tailnet_resume"));
    for (const other of others) assert.deepEqual(other, first);
    assert.deepEqual(await (await startKeys()).verifying("tailnet_resume", "1"), first);
  });

  it("rotates as time goes, and numbers never come twice", async (t) => {
    const { clock, start: startKeys, rows } = await scene(t);
    const first = await startKeys();
    const before = first.signing("tailnet_resume");
    await first[Symbol.asyncDispose]();
    await clock.advance(30 * dayMs - hourMs / 2);
    const keys = await startKeys();
    assert.deepEqual(keys.signing("tailnet_resume"), before);
    await keys[Symbol.asyncDispose]();
    await clock.advance(hourMs / 2);
    assert.equal(keys.signing("tailnet_resume").id, "2");
    assert.deepEqual(await keys.verifying("tailnet_resume", "1"), before);
    await clock.advance(dayMs + hourMs);
    assert.equal(await keys.verifying("tailnet_resume", "1"), undefined);
    assert.equal((await rows()).length, 8);
    await startKeys();
    assert.deepEqual(
      (await rows()).map(({ sequence }) => sequence),
      [2, 2, 2, 2],
    );
  });

  it("a key that another replica made is found by its name; forged names do not cost a query each", async (t) => {
    const { store, clock, start: startKeys } = await scene(t);
    const old = await startKeys();
    let reads = 0;
    const counted: Pick<AuthzStore, "inTx" | "getCryptoKeys"> = {
      inTx: (...args) => store.inTx(...args),
      getCryptoKeys: (...args) => (reads++, store.getCryptoKeys(...args)),
    };
    const { signal } = new AbortController();
    const ctx = newCtx({ actor: actors.system, signal, log: discardLogger, requestId: "test", clock });
    const asking = await CryptoKeys.start({ store: counted, ctx, clock, rand: cryptoRand });
    t.after(() => asking[Symbol.asyncDispose]());
    await store.insertCryptoKey(ctx.as(actors.keyRotator, "another replica"), {
      feature: "tailnet_resume",
      secret: "abcd",
      startsAt: at(hourMs),
    });
    await clock.advance(1_000);
    const found = await Promise.all([1, 2, 3].map(() => asking.verifying("tailnet_resume", "2")));
    for (const one of found) assert.equal(one?.secret.toString("hex"), "abcd");
    assert.equal(asking.signing("tailnet_resume").id, old.signing("tailnet_resume").id);
    const after = reads;
    for (const id of ["3", "4", "x", "0", "-1", "1".repeat(100)]) {
      assert.equal(await asking.verifying("tailnet_resume", id), undefined);
    }
    assert.equal(reads, after);
  });
});
