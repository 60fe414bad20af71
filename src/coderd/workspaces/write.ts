/** Changing workspaces: create, build, and what follows from use. Settings, schedule and sharing have files of their own. */
import { workspaces } from "#codersdk/workspaces.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody, reply } from "../httpapi/reply.ts";
import { actors } from "../rbac/actors.ts";
import type { WorkspaceViewRow } from "../workspaceview/view.ts";
import { resolveParameters } from "../wsbuilder/parameters.ts";
import { Invalid } from "../errors.ts";
import type { Ctx } from "../ctx.ts";
import { resolveUser } from "../httpmw/params.ts";
import { findWorkspace } from "../workspaceview/load.ts";
import { aclRoutes } from "./acl.ts";
import { createBuild } from "./create-build.ts";
import { createWorkspace, type CreateDeps } from "./create.ts";
import type { ReadDeps } from "./read.ts";
import { scheduleRoutes } from "./schedule.ts";
import { settingRoutes } from "./settings.ts";

export interface WriteDeps extends ReadDeps, CreateDeps {}

export function routes(deps: WriteDeps): BoundRoute[] {
  return [...makers(deps), ...settingRoutes(deps), ...scheduleRoutes(deps), ...aclRoutes(deps), ...use(deps)];
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
      return reply(201, await createWorkspace(ctx, deps, options));
    }),
    bind(workspaces.createBuild, async (ctx, req) => {
      const row = await findWorkspace(deps, ctx, { id: req.params.workspace });
      const options = { row, callerId: req.caller.user.id, body: req.body() };
      return reply(201, await createBuild(ctx, deps, options));
    }),
  ];
}

function use(deps: WriteDeps): BoundRoute[] {
  return [
    bind(workspaces.usage, async (ctx, req) => {
      const { w: workspace } = await findWorkspace(deps, ctx, { id: req.params.workspace });
      await deps.store.touchWorkspace(ctx, { id: workspace.id, now: ctx.now() });
      return noBody(204);
    }),
    bind(workspaces.resolveAutostart, async (ctx, req) => {
      const row = await findWorkspace(deps, ctx, { id: req.params.workspace });
      return { parameter_mismatch: await nextStartMismatches(ctx, deps, row) };
    }),
  ];
}

/** Whether an automatic start would take a newer version that the last build's values do not fit. */
async function nextStartMismatches(ctx: Ctx, { store }: WriteDeps, row: WorkspaceViewRow): Promise<boolean> {
  const updates = row.requireActiveVersion || row.w.automaticUpdates === "always";
  if (!updates || row.b.templateVersionId === row.templateActiveVersionId) return false;
  const system = ctx.as(actors.provisionerd, "what a version asks for");
  const parameters = await store.getParametersToBuild(system, {
    templateVersionId: row.templateActiveVersionId,
  });
  const last = await store.getBuildParameters(system, { buildId: row.b.id });
  try {
    resolveParameters({ parameters, request: [], preset: [], last, firstBuild: false, classic: true });
    return false;
  } catch (error) {
    if (error instanceof Invalid) return true;
    throw error;
  }
}
