/** A dormant user who comes back is active again with his first request. */
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { SessionCaller } from "./caller.ts";

export async function activateDormant(
  store: AuthzStore,
  ctx: Ctx,
  caller: SessionCaller,
): Promise<SessionCaller> {
  const now = ctx.now();
  const user = await store.inTx(ctx, {}, (tx) =>
    tx.updateUserStatus(ctx, { id: caller.user.id, status: "active", updatedAt: now, lastSeenAt: now }),
  );
  return { ...caller, user };
}
