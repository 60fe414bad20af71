/** A dormant user who comes back is active again with his first request. */
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { SessionCaller } from "./caller.ts";

export async function activateDormant(
  store: AuthzStore,
  ctx: Ctx,
  caller: SessionCaller,
): Promise<SessionCaller> {
  const now = ctx.now();
  const { id } = caller.user;
  const user = await store.inTx(ctx, {}, async (tx) => {
    const changed = await tx.updateUserStatus(ctx, { id, status: "active", updatedAt: now, lastSeenAt: now });
    await audit(tx, ctx, {
      action: "write",
      type: "user",
      before: caller.user,
      after: changed,
      userId: id,
      extra: { automatic_actor: "coder", automatic_subsystem: "dormancy" },
    });
    return changed;
  });
  return { ...caller, user };
}
