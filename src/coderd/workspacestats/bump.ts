/** Use of a workspace moves the time at which it stops by itself (spec lifecycle §6.3). */
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { prebuildsUserId } from "../database/dbauthz/kinds.ts";
import { bumpedDeadline } from "../schedule/activity-bump.ts";
import { nextAutostart } from "../schedule/autostart.ts";

export interface BumpOptions {
  readonly workspaceId: string;
  /** A workspace that would start by itself meanwhile stays up as if it had. */
  readonly heedAutostart: boolean;
}

/** `ctx` acts as the server itself. Whether the deadline moved. */
export async function bumpActivity(store: AuthzStore, ctx: Ctx, options: BumpOptions): Promise<boolean> {
  const { workspaceId, heedAutostart } = options;
  const row = await store.getBumpFacts(ctx, { workspaceId });
  if (!row || row.deadline === null) return false;
  const now = ctx.now();
  const schedule = heedAutostart && row.allowUserAutostart ? row.autostartSchedule : null;
  const next =
    schedule === null ? undefined : nextAutostart({ schedule, allowedDays: row.autostartDaysOfWeek }, now);
  const deadline = bumpedDeadline({
    ...row,
    now,
    nextAutostart: next?.allowed ? next.at : null,
    prebuild: row.ownerId === prebuildsUserId,
  });
  if (!deadline) return false;
  const changed = await store.bumpBuildDeadline(ctx, {
    buildId: row.buildId,
    before: row.deadline,
    deadline,
    now,
  });
  return changed > 0;
}
