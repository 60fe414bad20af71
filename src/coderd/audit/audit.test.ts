import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { newCtx } from "../ctx.ts";
import { authorize } from "../database/dbauthz/dbauthz.ts";
import { rules } from "../database/dbauthz/rules.ts";
import { newDb } from "../database/dbtestutil/dbtestutil.ts";
import { actors } from "../rbac/actors.ts";
import { audit } from "./audit.ts";
import { diff } from "./diff.ts";
import { resources } from "./resources.ts";

const at = new Date("2026-01-02T03:04:05.678Z");

async function scene(t: TestContext) {
  const db = await newDb(t);
  const store = authorize(db.store, rules);
  const ctx = newCtx({
    actor: actors.system,
    signal: new AbortController().signal,
    log: discardLogger,
    requestId: cryptoRand.uuid(),
    clock: realClock,
  });
  const user = await store.insertUser(ctx, {
    id: cryptoRand.uuid(),
    email: "ada@example.com",
    username: "ada",
    name: "",
    avatarUrl: "",
    status: "active",
    loginType: "password",
    rbacRoles: ["owner"],
    hashedPassword: Buffer.from("canary-secret"),
    isServiceAccount: false,
    createdAt: at,
    updatedAt: at,
  });
  return { store, ctx, user };
}

const request = { ip: "10.1.2.3", userAgent: "u".repeat(300) };

describe("audit", () => {
  it("writes who, what, where and the difference, in the change's transaction", async (t) => {
    const { store, ctx, user } = await scene(t);
    const after = await store.inTx(ctx, {}, async (tx) => {
      const changed = await tx.updateUserStatus(ctx, { id: user.id, status: "suspended", updatedAt: at });
      await audit(tx, ctx, { action: "write", type: "user", before: user, after: changed, request });
      return changed;
    });
    const [row] = await store.getAuditLogsOfResource(ctx, { resourceId: after.id });
    assert.ok(row);
    const { l } = row;
    assert.deepEqual(l.diff, { status: { old: "active", new: "suspended", secret: false } });
    assert.equal(l.ip, "10.1.2.3");
    assert.equal(l.userAgent?.length, 256);
    assert.deepEqual([l.action, l.resourceType, l.resourceTarget], ["write", "user", "ada"]);
    assert.deepEqual([l.userId, l.requestId, l.statusCode], [actors.system.id, ctx.requestId, 200]);
  });

  it("is gone when the change is", async (t) => {
    const { store, ctx, user } = await scene(t);
    const failing = store.inTx(ctx, {}, async (tx) => {
      await audit(tx, ctx, { action: "delete", type: "user", before: user, request });
      throw new Error("no");
    });
    await assert.rejects(failing, /no/);
    assert.deepEqual(await store.getAuditLogsOfResource(ctx, { resourceId: user.id }), []);
  });

  it("a member's change is written, though members may not write or read the log", async (t) => {
    const { store, ctx, user } = await scene(t);
    const member = ctx.as(actors.nobody, "a caller without rights");
    await audit(store, member, { action: "login", type: "user", before: user, after: user, request });
    assert.deepEqual(await store.getAuditLogsOfResource(member, { resourceId: user.id }), []);
    assert.equal((await store.getAuditLogsOfResource(ctx, { resourceId: user.id })).length, 1);
  });

  it("tells no difference of what failed, and background work has no address", async (t) => {
    const { store, ctx, user } = await scene(t);
    await audit(store, ctx, {
      action: "create",
      type: "user",
      after: user,
      statusCode: 403,
      extra: { a: "b" },
    });
    const [row] = await store.getAuditLogsOfResource(ctx, { resourceId: user.id });
    assert.deepEqual(row?.l.diff, {});
    assert.deepEqual([row?.l.ip, row?.l.userAgent, row?.l.statusCode], [null, null, 403]);
    assert.deepEqual(row?.l.additionalFields, { a: "b" });
  });

  it("needs something to tell of", async (t) => {
    const { store, ctx } = await scene(t);
    await assert.rejects(audit(store, ctx, { action: "write", type: "user" }), /nothing to tell/);
  });
});

describe("diff", () => {
  it("masks secrets on both sides, and shows a new thing from empty", async (t) => {
    const { user } = await scene(t);
    const made = diff(resources.user, undefined, user);
    assert.deepEqual(made["hashed_password"], { old: "", new: "", secret: true });
    assert.deepEqual(made["username"], { old: "", new: "ada", secret: false });
    assert.deepEqual(made["rbac_roles"], { old: null, new: ["owner"], secret: false });
    assert.equal(made["deleted"], undefined);
    assert.ok(!JSON.stringify(made).includes("canary"));
    const gone = diff(resources.user, user, undefined);
    assert.deepEqual(gone["username"], { old: "ada", new: "", secret: false });
    assert.ok(!JSON.stringify(gone).includes("canary"));
  });

  it("durations are nanoseconds, blocked days are those not allowed", () => {
    const { fields } = resources.template;
    assert.ok(typeof fields.defaultTtlMs === "object" && typeof fields.autostartDaysOfWeek === "object");
    assert.equal(fields.defaultTtlMs.value?.(1500), 1_500_000_000);
    assert.equal(fields.autostartDaysOfWeek.value?.(0b0011111), 0b1100000);
  });
});
