/** Reading workspaces: list, one, its builds, and watching it. */
import { parseUuid } from "#codersdk/uuid.ts";
import { parseTime } from "#codersdk/wire-decode.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { ApiError, Invalid, invalidField, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import type { Caller } from "../httpmw/caller.ts";
import { resolveUser } from "../httpmw/params.ts";
import { actors } from "../rbac/actors.ts";
import { findWorkspace, listWorkspaces, loadBuilds, loadWorkspace } from "../workspaceview/load.ts";
import type { WorkspaceViewRow } from "../workspaceview/view.ts";
import { loadTimings } from "../workspaceview/timings.ts";
import { watchConnection } from "./connection-watch.ts";
import { workspaceFilter } from "./search.ts";
import { watchWorkspace, type WatchDeps } from "./watch.ts";

export type ReadDeps = WatchDeps;

/** A name in a path says whose workspace is meant; whether the caller may see that is the workspace's own rule. */
async function ownerId(store: AuthzStore, ctx: Ctx, caller: Caller, text: string): Promise<string> {
  if (text.toLowerCase() === "me") {
    if (caller.kind !== "session") throw new Invalid('"me" needs a user\'s session.');
    return caller.user.id;
  }
  const id = parseUuid(text);
  if (id !== undefined) return id;
  const asSystem = ctx.as(actors.system, "who is meant by a name; the workspace decides what is shown");
  return (await store.getUserByUsernameWithOrganizations(asSystem, { username: text })).u.id;
}

function sinceTime(text: string): Date | undefined {
  if (text === "") return undefined;
  const time = parseTime(text.toUpperCase());
  if (time === undefined) {
    throw new Invalid("bad `since` format, must be RFC3339", { detail: `received ${JSON.stringify(text)}` });
  }
  return time;
}

export function routes(deps: ReadDeps): BoundRoute[] {
  const { store } = deps;

  async function byName(
    ctx: Ctx,
    req: {
      readonly params: { readonly user: string; readonly workspacename: string };
      readonly caller: Caller;
    },
    includeDeleted: boolean,
  ): Promise<WorkspaceViewRow> {
    const { user, workspacename: name } = req.params;
    return await findWorkspace(deps, ctx, {
      ownerId: await ownerId(store, ctx, req.caller, user),
      name,
      includeDeleted,
    });
  }

  return [
    bind(workspaces.list, async (ctx, req) => {
      const { q, limit, offset } = req.query();
      return await listWorkspaces(deps, ctx, await workspaceFilter(store, ctx, q, { limit, offset }));
    }),
    bind(workspaces.get, async (ctx, req) => {
      const row = await findWorkspace(deps, ctx, { id: req.params.workspace });
      if (row.w.deleted && !req.query().include_deleted) {
        throw new ApiError(
          410,
          "Gone",
          `The workspace ${row.w.name} has been deleted; ask with include_deleted=true to see it.`,
        );
      }
      return await loadWorkspace(deps, ctx, row);
    }),
    bind(workspaces.getByName, async (ctx, req) =>
      loadWorkspace(deps, ctx, await byName(ctx, req, req.query().include_deleted)),
    ),
    bind(workspaces.buildByNumber, async (ctx, req) => {
      const { buildnumber: text } = req.params;
      if (!/^\d{1,9}$/.test(text)) {
        throw new Invalid("Failed to parse build number as integer.", {
          detail: `received ${JSON.stringify(text)}`,
        });
      }
      const row = await byName(ctx, req, true);
      const [build] = await loadBuilds(deps, ctx, row, { buildNumber: Number(text) });
      if (build === undefined) throw new NotFound();
      return build;
    }),
    bind(workspaces.builds, async (ctx, req) => {
      const row = await findWorkspace(deps, ctx, { id: req.params.workspace });
      const { after_id: afterId, since, limit, offset } = req.query();
      const page = { since: sinceTime(since), pageLimit: limit, pageOffset: offset };
      if (afterId === undefined) return await loadBuilds(deps, ctx, row, page);
      const [after] = await loadBuilds(deps, ctx, row, { id: afterId });
      if (after === undefined) {
        throw new Invalid(`No build of this workspace has the id ${JSON.stringify(afterId)}.`);
      }
      return await loadBuilds(deps, ctx, row, { ...page, beforeNumber: after.build_number });
    }),
    bind(workspaces.timings, async (ctx, req) => {
      const { j } = await findWorkspace(deps, ctx, { id: req.params.workspace });
      return loadTimings(store, ctx, j.id);
    }),
    bind(workspaces.autofill, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      const { template_id: templateId } = req.query();
      if (templateId === undefined) {
        throw invalidField("Invalid query parameters.", "template_id", "It is required and cannot be empty.");
      }
      return store.getAutofillParameters(ctx, { ownerId: user.id, templateId });
    }),
    bind(workspaces.connectionWatch, async (ctx, req) => {
      const row = await findWorkspace(deps, ctx, { id: req.params.workspace });
      return watchConnection(deps, ctx, row, req.query().agent_name);
    }),
    bind(workspaces.watch, async (ctx, req) =>
      watchWorkspace(deps, ctx, await findWorkspace(deps, ctx, { id: req.params.workspace }), "sse"),
    ),
    bind(workspaces.watchWs, async (ctx, req) =>
      watchWorkspace(deps, ctx, await findWorkspace(deps, ctx, { id: req.params.workspace }), "websocket"),
    ),
  ];
}
