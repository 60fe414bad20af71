/**
 * Loads what answers about workspaces and builds are made of: one statement for the workspaces (which decides what the
 * caller may read), one for all their resources, agents, apps and the rest, however many there are.
 */
import type { WorkspaceBuild, WorkspaceResource } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { ListWorkspaceViewsArg } from "../database/gen/workspaceviews.gen.ts";
import { NotFound } from "../errors.ts";
import { actors } from "../rbac/actors.ts";
import { toBuild, toResource, toWorkspace, type WorkspaceViewRow } from "./view.ts";

export interface ViewDeps {
  readonly store: AuthzStore;
  /** An agent that was silent for longer counts as disconnected. */
  readonly agentInactiveMs: number;
  readonly troubleshootingUrl: string;
  readonly allowWorkspaceRenames: boolean;
}

const belongs = "what belongs to a workspace that the caller has read";

type Rows = Awaited<ReturnType<AuthzStore["getResourceViews"]>>;

async function resourcesByJob(
  deps: ViewDeps,
  ctx: Ctx,
  jobIds: readonly string[],
): Promise<Map<string, Rows>> {
  const byJob = new Map<string, Rows>(jobIds.map((id) => [id, []]));
  if (jobIds.length === 0) return byJob;
  const rows = await deps.store.getResourceViews(ctx.as(actors.system, belongs), {
    jobIds,
    withDeletedAgents: true,
  });
  for (const row of rows) byJob.get(row.r.jobId)?.push(row);
  return byJob;
}

const optionsOf = (deps: ViewDeps, ctx: Ctx) => ({
  now: ctx.now(),
  agentInactiveMs: deps.agentInactiveMs,
  troubleshootingUrl: deps.troubleshootingUrl,
  callerId: ctx.actor.id,
  allowRenames: deps.allowWorkspaceRenames,
});

export type WorkspaceFilter = Omit<ListWorkspaceViewsArg, "now" | "agentInactiveSeconds" | "callerId">;

export interface WorkspacePage {
  readonly workspaces: Workspace[];
  /** All that match and may be read, whatever the page. */
  readonly count: number;
}

export async function listWorkspaces(
  deps: ViewDeps,
  ctx: Ctx,
  filter: WorkspaceFilter,
): Promise<WorkspacePage> {
  const arg = {
    ...filter,
    now: ctx.now(),
    agentInactiveSeconds: Math.round(deps.agentInactiveMs / 1000),
    callerId: ctx.actor.id,
  };
  const rows = await deps.store.listWorkspaceViews(ctx, arg);
  const [first] = rows;
  if (first === undefined) {
    if (filter.pageOffset === 0) return { workspaces: [], count: 0 };
    // Beyond the end no row tells the count.
    const [one] = await deps.store.listWorkspaceViews(ctx, { ...arg, pageOffset: 0, pageLimit: 1 });
    return { workspaces: [], count: one?.total ?? 0 };
  }
  const resources = await resourcesByJob(
    deps,
    ctx,
    rows.map(({ j }) => j.id),
  );
  const options = optionsOf(deps, ctx);
  return {
    workspaces: rows.map((row) => toWorkspace(row, resources.get(row.j.id) ?? [], options)),
    count: first.total,
  };
}

export type WorkspaceKey =
  | { readonly id: string }
  | { readonly ownerId: string; readonly name: string; readonly includeDeleted?: boolean };

/** The row, for callers that need more than the answer. Unknown or unreadable: NotFound. */
export async function findWorkspace(
  deps: Pick<ViewDeps, "store">,
  ctx: Ctx,
  key: WorkspaceKey,
): Promise<WorkspaceViewRow> {
  const row = await deps.store.getWorkspaceView(ctx, key);
  if (row === undefined) throw new NotFound();
  return row;
}

export async function loadWorkspace(deps: ViewDeps, ctx: Ctx, row: WorkspaceViewRow): Promise<Workspace> {
  const resources = await resourcesByJob(deps, ctx, [row.j.id]);
  return toWorkspace(row, resources.get(row.j.id) ?? [], optionsOf(deps, ctx));
}

export interface BuildFilter {
  readonly id?: string;
  readonly buildNumber?: number;
  readonly since?: Date | undefined;
  readonly beforeNumber?: number;
  readonly pageLimit?: number;
  readonly pageOffset?: number;
}

/** Builds of a workspace that the caller has read, newest first. */
export async function loadBuilds(
  deps: ViewDeps,
  ctx: Ctx,
  { w, ownerName, ownerAvatarUrl }: WorkspaceViewRow,
  filter: BuildFilter,
): Promise<WorkspaceBuild[]> {
  const rows = await deps.store.getBuildViews(ctx.as(actors.system, belongs), {
    workspaceId: w.id,
    pageLimit: 0,
    pageOffset: 0,
    ...filter,
  });
  const resources = await resourcesByJob(
    deps,
    ctx,
    rows.map(({ j }) => j.id),
  );
  const workspace = { workspaceName: w.name, ownerId: w.ownerId, ownerName, ownerAvatarUrl };
  const options = optionsOf(deps, ctx);
  return rows.map((row) =>
    toBuild({ ...row, ...workspace, resources: resources.get(row.j.id) ?? [] }, options),
  );
}

/** Resources of a job that the caller may read: a build, an import, a dry run. */
export async function loadResources(deps: ViewDeps, ctx: Ctx, jobId: string): Promise<WorkspaceResource[]> {
  const options = optionsOf(deps, ctx);
  return ((await resourcesByJob(deps, ctx, [jobId])).get(jobId) ?? []).map((row) => toResource(row, options));
}
