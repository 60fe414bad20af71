/**
 * A daemon's row while it is connected: written at once, then refreshed by the server every 60 s (spec provisioning
 * §2.4). Daemons say nothing of this themselves.
 */
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerDaemon } from "../database/gen/models.gen.ts";
import type { UpsertProvisionerDaemonArg } from "../database/gen/provisionerdaemons.gen.ts";

export const heartbeatMs = 60_000;
/** Without a heartbeat for this long a daemon is offline. */
export const staleMs = 90_000;

export function registerDaemon(
  ctx: Ctx,
  store: AuthzStore,
  daemon: Omit<UpsertProvisionerDaemonArg, "now">,
): Promise<ProvisionerDaemon> {
  return store.upsertProvisionerDaemon(ctx, { ...daemon, now: ctx.now() });
}

/** Refreshes the row until ctx ends. Never rejects: a try that fails is made up for by the next. */
export async function keepAlive(ctx: Ctx, store: AuthzStore, daemonId: string): Promise<void> {
  const wait = { signal: ctx.signal, tag: "provisionerd-heartbeat", unref: true };
  for await (const now of ctx.clock.ticks(heartbeatMs, wait)) {
    try {
      await store.updateProvisionerDaemonLastSeen(ctx, { id: daemonId, lastSeenAt: now });
    } catch (error) {
      if (!ctx.signal.aborted) {
        ctx.log.warn("the heartbeat of a daemon was not written", { daemon_id: daemonId, error });
      }
    }
  }
}
