/** Changing workspaces: create, build, and their settings. Reading is in read.ts. */
import { workspaces } from "#codersdk/workspaces.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import { prebuildsUserId } from "../database/dbauthz/kinds.ts";
import type { Workspace } from "../database/gen/models.gen.ts";
import { ApiError, Conflict, Forbidden, Invalid, invalidField } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody, reply } from "../httpapi/reply.ts";
import { resolveUser } from "../httpmw/params.ts";
import { actors } from "../rbac/actors.ts";
import { findWorkspace } from "../workspaceview/load.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import { createBuild } from "./create-build.ts";
import { createWorkspace, type CreateDeps } from "./create.ts";
import type { ReadDeps } from "./read.ts";
import { ttlProblem } from "./ttl.ts";

export interface WriteDeps extends ReadDeps, CreateDeps {}

interface Asked {
  readonly ip: string;
  readonly userAgent: string;
}

export function routes(deps: WriteDeps): BoundRoute[] {
  return [...makers(deps), ...settings(deps), ...use(deps)];
}

function makers(deps: WriteDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(workspaces.create, async (ctx, req) => {
      const { user: owner } = await resolveUser(ctx, store, req.caller, req.params.user);
      const options = { owner, callerId: req.caller.user.id, body: req.body(), request: req };
      return reply(201, await createWorkspace(ctx, deps, options));
    }),
    bind(workspaces.createInOrganization, async (ctx, req) => {
      const { user: owner } = await resolveUser(ctx, store, req.caller, req.params.user);
      const options = { owner, callerId: req.caller.user.id, body: req.body(), request: req };
      return reply(200, await createWorkspace(ctx, deps, options));
    }),
    bind(workspaces.createBuild, async (ctx, req) => {
      const row = await findWorkspace(deps, ctx, { id: req.params.workspace });
      const options = { row, callerId: req.caller.user.id, body: req.body() };
      return reply(201, await createBuild(ctx, deps, options));
    }),
  ];
}

/** One change with its audit entry; watchers are told. */
async function change(
  ctx: Ctx,
  deps: WriteDeps,
  { workspace, request, after }: { workspace: Workspace; request: Asked; after: Partial<Workspace> },
  write: (tx: AuthzTx) => Promise<void>,
): Promise<void> {
  await deps.store.inTx(ctx, {}, async (tx) => {
    await write(tx);
    const now = { ...workspace, ...after };
    await audit(tx, ctx, {
      action: "write",
      type: "workspace",
      before: workspace,
      after: now,
      request,
      statusCode: 204,
    });
    const event = { kind: "mtd_update", workspaceId: workspace.id } as const;
    tx.afterCommit(() => publishWorkspaceEvent(deps.pubsub, workspace.ownerId, event));
  });
}

function refusePrebuilt({ ownerId }: Workspace, message: string): void {
  if (ownerId === prebuildsUserId) throw new Conflict(message);
}

function settings(deps: WriteDeps): BoundRoute[] {
  const load = async (ctx: Ctx, id: string) => findWorkspace(deps, ctx, { id });
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
    bind(workspaces.setTtl, async (ctx, req) => {
      const { w: workspace, b: build } = await load(ctx, req.params.workspace);
      refusePrebuilt(workspace, "TTL updates are not supported for prebuilt workspaces");
      const wanted = req.body().ttl_ms ?? 0;
      const problem = wanted === 0 ? undefined : ttlProblem(wanted);
      if (problem) throw invalidField("Error updating workspace time until shutdown.", "ttl_ms", problem);
      const ttlMs = wanted === 0 ? null : wanted;
      const now = ctx.now();
      await change(ctx, deps, { workspace, request: req, after: { ttlMs } }, async (tx) => {
        await tx.updateWorkspaceTtl(ctx, { id: workspace.id, ttlMs, now });
        const system = ctx.as(actors.provisionerd, "the deadline follows the time to live");
        if (ttlMs === null) await tx.resetBuildDeadline(system, { id: build.id, now });
      });
      return noBody(204);
    }),
    bind(workspaces.setAutostart, async (ctx, req) => {
      const { w: workspace } = await load(ctx, req.params.workspace);
      refusePrebuilt(workspace, "Autostart is not supported for prebuilt workspaces");
      const schedule = req.body().schedule || null;
      if (schedule !== null && !/^(?:CRON_TZ=\S+ +)?(?:\S+ +){4}\S+$/.test(schedule)) {
        throw invalidField(
          "Invalid autostart schedule.",
          "schedule",
          "expected five cron fields, optionally after CRON_TZ=zone",
        );
      }
      const after = { autostartSchedule: schedule };
      await change(ctx, deps, { workspace, request: req, after }, (tx) =>
        tx.updateWorkspaceAutostart(ctx, { id: workspace.id, schedule, nextStartAt: null, now: ctx.now() }),
      );
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
  ];
}

function use(deps: WriteDeps): BoundRoute[] {
  const setFavorite = async (ctx: Ctx, id: string, callerId: string, request: Asked, favorite: boolean) => {
    const { w: workspace } = await findWorkspace(deps, ctx, { id });
    if (workspace.ownerId !== callerId) {
      throw new Forbidden(`You can only ${favorite ? "favorite" : "un-favorite"} workspaces that you own.`);
    }
    await change(ctx, deps, { workspace, request, after: { favorite } }, (tx) =>
      tx.updateWorkspaceFavorite(ctx, { id, favorite, now: ctx.now() }),
    );
    return noBody(204);
  };
  return [
    bind(workspaces.favorite, (ctx, req) =>
      setFavorite(ctx, req.params.workspace, req.caller.user.id, req, true),
    ),
    bind(workspaces.unfavorite, (ctx, req) =>
      setFavorite(ctx, req.params.workspace, req.caller.user.id, req, false),
    ),
    bind(workspaces.usage, async (ctx, req) => {
      const { w: workspace } = await findWorkspace(deps, ctx, { id: req.params.workspace });
      await deps.store.touchWorkspace(ctx, { id: workspace.id, now: ctx.now() });
      return noBody(204);
    }),
    bind(workspaces.resolveAutostart, async (ctx, req) => {
      // Automatic starts keep the version of the last build, whose parameters fit it.
      await findWorkspace(deps, ctx, { id: req.params.workspace });
      return { parameter_mismatch: false };
    }),
  ];
}
