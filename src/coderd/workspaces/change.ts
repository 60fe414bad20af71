/** One change of a workspace with its audit entry; watchers are told after the commit. */
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore, AuthzTx } from "../database/dbauthz/dbauthz.ts";
import { prebuildsUserId } from "../database/dbauthz/kinds.ts";
import type { Workspace } from "../database/gen/models.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { Conflict } from "../errors.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";

export interface Asked {
  readonly ip: string;
  readonly userAgent: string;
}

export interface Change {
  readonly workspace: Workspace;
  readonly request: Asked;
  readonly after: Partial<Workspace>;
  readonly statusCode?: number;
}

export async function change(
  ctx: Ctx,
  deps: { readonly store: AuthzStore; readonly pubsub: Pubsub },
  made: Change,
  write: (tx: AuthzTx) => Promise<void>,
): Promise<void> {
  await deps.store.inTx(ctx, {}, async (tx) => {
    await write(tx);
    await recordChange(ctx, tx, deps.pubsub, made);
  });
}

/** What goes with a change that the caller's transaction makes. */
export async function recordChange(
  ctx: Ctx,
  tx: AuthzTx,
  pubsub: Pubsub,
  { workspace, request, after, statusCode = 204 }: Change,
): Promise<void> {
  await audit(tx, ctx, {
    action: "write",
    type: "workspace",
    before: workspace,
    after: { ...workspace, ...after },
    request,
    statusCode,
  });
  const event = { kind: "mtd_update", workspaceId: workspace.id } as const;
  tx.afterCommit(() => publishWorkspaceEvent(pubsub, workspace.ownerId, event));
}

/** Nobody sets up a workspace that waits to be claimed. */
export function refusePrebuilt({ ownerId }: Workspace, message: string): void {
  if (ownerId === prebuildsUserId) throw new Conflict(message);
}
