/** The Terraform modules that a job used, as rows. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Module } from "#rpc/gen/provisionersdk_pb.js";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { WorkspaceTransition } from "../database/gen/models.gen.ts";

export async function insertModules(
  ctx: Ctx,
  tx: AuthzTx,
  target: { readonly jobId: string; readonly transition: WorkspaceTransition; readonly rand: Rand },
  modules: readonly Module[],
): Promise<void> {
  if (modules.length === 0) return;
  const { jobId, transition, rand } = target;
  await tx.insertWorkspaceModules(ctx, {
    jobId,
    transition,
    ids: modules.map(() => rand.uuid()),
    sources: modules.map(({ source }) => source),
    versions: modules.map(({ version }) => version),
    keys: modules.map(({ key }) => key),
    createdAt: ctx.now(),
  });
}
