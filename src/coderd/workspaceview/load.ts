/**
 * Loads what answers about workspaces and builds are made of: one statement for the workspaces (which decides what the
 * caller may read), one for all their resources, agents, apps and the rest, however many there are.
 */
import type { WorkspaceBuild, WorkspaceResource } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { ListWorkspaceViewsArg } from "../database/gen/workspaceviews.gen.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import { NotFound } from "../errors.ts";
import { actors } from "../rbac/actors.ts";
import { sharedWith } from "./sharing.ts";
import { daemonStaleMs, matchedProvisioners } from "../provisionerjobs/wire.ts";
import { type BuildFacts, toBuild, toResource, toWorkspace, type WorkspaceViewRow } from "./view.ts";

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
    withDeletedAgents: false,
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
  const waiting = await waitingFacts(
    deps,
    ctx,
    rows.map(({ j }) => j),
  );
  const shared = await sharedFacts(deps, ctx, rows);
  return {
    workspaces: rows.map((row) =>
      toWorkspace(
        { ...row, ...waiting(row.j.id), sharedWith: shared(row) },
        resources.get(row.j.id) ?? [],
        options,
      ),
    ),
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
  const waiting = await waitingFacts(deps, ctx, [row.j]);
  const shared = await sharedFacts(deps, ctx, [row]);
  return toWorkspace(
    { ...row, ...waiting(row.j.id), sharedWith: shared(row) },
    resources.get(row.j.id) ?? [],
    optionsOf(deps, ctx),
  );
}

export interface BuildFilter {
  readonly id?: string;
  readonly buildNumber?: number;
  readonly since?: Date | undefined;
  readonly beforeNumber?: number;
  readonly pageLimit?: number;
  readonly pageOffset?: number;
}

/** As it was made: a place in the queue is told by the next read. */
export function justMade(build: WorkspaceBuild): WorkspaceBuild {
  return {
    ...build,
    template_version_name: "",
    job: { ...build.job, queue_position: 0, queue_size: 0 },
  };
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
  const waiting = await waitingFacts(
    deps,
    ctx,
    rows.map(({ j }) => j),
  );
  return rows.map((row) =>
    toBuild(
      { ...row, ...workspace, ...waiting(row.j.id), resources: resources.get(row.j.id) ?? [] },
      options,
    ),
  );
}

/** Resources of a job that the caller may read: a build, an import, a dry run. */
export async function loadResources(deps: ViewDeps, ctx: Ctx, jobId: string): Promise<WorkspaceResource[]> {
  const options = optionsOf(deps, ctx);
  const byJob = await resourcesByJob(deps, ctx, [jobId]);
  return (byJob.get(jobId) ?? []).map((row) => toResource(row, options));
}

type SharedWith = (row: WorkspaceViewRow) => Workspace["shared_with"];

/** The names of those with whom workspaces are shared. */
async function sharedFacts(
  { store }: ViewDeps,
  ctx: Ctx,
  rows: readonly WorkspaceViewRow[],
): Promise<SharedWith> {
  const shared = rows.filter(isShared);
  if (shared.length === 0) return () => undefined;
  const system = ctx.as(actors.system, belongs);
  const ids = [
    ...new Set(shared.flatMap(({ w }) => [...Object.keys(w.userAcl), ...Object.keys(w.groupAcl)])),
  ];
  const users = await store.getUsersOfAcl(system, { ids });
  const groups = await store.getGroupNamesOfAcl(system, { ids });
  return (row) => (isShared(row) ? sharedWith(row.w, users, groups) : undefined);
}

const isShared = ({ w }: WorkspaceViewRow): boolean =>
  Object.keys(w.userAcl).length > 0 || Object.keys(w.groupAcl).length > 0;

const placeIn = (row: { readonly position: number | null; readonly size: number | null } | undefined) =>
  row && { position: row.position ?? 0, size: row.size ?? 0 };

type Waiting = Pick<BuildFacts, "job" | "matched">;

/** Of jobs that wait for a daemon: who could take them, and their place in the queue. */
async function waitingFacts(
  { store }: ViewDeps,
  ctx: Ctx,
  jobs: readonly ProvisionerJob[],
): Promise<(jobId: string) => Waiting> {
  const waiting = jobs.filter(({ jobStatus }) => jobStatus === "pending");
  if (waiting.length === 0) return () => ({});
  const ids = waiting.map(({ id }) => id);
  const seenAfter = new Date(ctx.now().getTime() - daemonStaleMs);
  const daemons = await store.getEligibleDaemons(ctx, { jobIds: ids });
  const queues = await store.getProvisionerJobQueues(ctx, { ids, seenAfter });
  const facts = waiting.map(({ id, createdAt }): [string, Waiting] => [
    id,
    {
      job: { queue: placeIn(queues.find((queue) => queue.id === id)) },
      matched: matchedProvisioners(
        daemons.filter(({ jobId }) => jobId === id),
        createdAt,
      ),
    },
  ]);
  const byId = new Map(facts);
  return (jobId) => byId.get(jobId) ?? {};
}
