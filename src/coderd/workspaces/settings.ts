/** Settings of a workspace that are not its schedule: name, automatic updates, favourite, dormancy. */
import { workspaces } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import { isUniqueViolation } from "../database/errors.ts";
import { ApiError, Conflict, Forbidden, Invalid } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody, reply } from "../httpapi/reply.ts";
import { findWorkspace, loadWorkspace } from "../workspaceview/load.ts";
import { type Asked, change, refusePrebuilt } from "./change.ts";
import type { ReadDeps } from "./read.ts";

export function settingRoutes(deps: ReadDeps): BoundRoute[] {
  const load = (ctx: Ctx, id: string) => findWorkspace(deps, ctx, { id });
  return [
    bind(workspaces.rename, async (ctx, req) => {
      const { w: workspace } = await load(ctx, req.params.workspace);
      const { name = "" } = req.body();
      if (name === "" || name === workspace.name) return noBody(204);
      if (workspace.deleted) {
        throw new ApiError(
          405,
          "MethodNotAllowed",
          `Workspace "${workspace.name}" is deleted and cannot be updated.`,
        );
      }
      if (!deps.allowWorkspaceRenames) throw new Invalid("Workspace renames are not allowed.");
      const now = ctx.now();
      try {
        await change(ctx, deps, { workspace, request: req, after: { name } }, (tx) =>
          tx.updateWorkspaceName(ctx, { id: workspace.id, name, now }),
        );
      } catch (error) {
        if (!isUniqueViolation(error, "workspaces_owner_name_idx")) throw error;
        throw new Conflict(`Workspace "${name}" already exists.`, {
          validations: [{ field: "name", detail: "This value is already in use and should be unique." }],
        });
      }
      return noBody(204);
    }),
    bind(workspaces.setAutoupdates, async (ctx, req) => {
      const { w: workspace } = await load(ctx, req.params.workspace);
      const automaticUpdates = req.body().automatic_updates;
      await change(ctx, deps, { workspace, request: req, after: { automaticUpdates } }, (tx) =>
        tx.updateWorkspaceAutomaticUpdates(ctx, { id: workspace.id, automaticUpdates, now: ctx.now() }),
      );
      return noBody(204);
    }),
    bind(workspaces.favorite, (ctx, req) =>
      setFavorite(ctx, deps, { id: req.params.workspace, callerId: req.caller.user.id, to: true }, req),
    ),
    bind(workspaces.unfavorite, (ctx, req) =>
      setFavorite(ctx, deps, { id: req.params.workspace, callerId: req.caller.user.id, to: false }, req),
    ),
    bind(workspaces.dormant, async (ctx, req) => {
      const row = await load(ctx, req.params.workspace);
      const { w: workspace } = row;
      refusePrebuilt(workspace, "Dormancy updates are not supported for prebuilt workspaces");
      const { dormant } = req.body();
      if (dormant === (workspace.dormantAt !== null)) return noBody(304);
      const now = ctx.now();
      const autodeleteMs = row.timeTilDormantAutodeleteMs;
      const after = dormant
        ? {
            dormantAt: now,
            deletingAt: autodeleteMs > 0 ? new Date(now.getTime() + autodeleteMs) : null,
          }
        : { dormantAt: null, deletingAt: null };
      const wake = dormant ? {} : { lastUsedAt: now };
      await change(ctx, deps, { workspace, request: req, after, statusCode: 200 }, (tx) =>
        tx.updateWorkspaceDormancy(ctx, { id: workspace.id, ...after, ...wake, now }),
      );
      return reply(200, await loadWorkspace(deps, ctx, await load(ctx, workspace.id)));
    }),
  ];
}

async function setFavorite(
  ctx: Ctx,
  deps: ReadDeps,
  { id, callerId, to: favorite }: { readonly id: string; readonly callerId: string; readonly to: boolean },
  request: Asked,
) {
  const { w: workspace } = await findWorkspace(deps, ctx, { id });
  if (workspace.ownerId !== callerId) {
    throw new Forbidden(`You can only ${favorite ? "favorite" : "un-favorite"} workspaces that you own.`);
  }
  await change(ctx, deps, { workspace, request, after: { favorite } }, (tx) =>
    tx.updateWorkspaceFavorite(ctx, { id, favorite, now: ctx.now() }),
  );
  return noBody(204);
}
