/** Builds and workspaces as the API shows them. Pure: rows and the time in, answers out. */
import type { WorkspaceAppStatus } from "#codersdk/workspaceagents.ts";
import type { WorkspaceBuild, WorkspaceResource, WorkspaceStatus } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type * as models from "../database/gen/models.gen.ts";
import type { GetResourceViewsRow, GetWorkspaceViewRow } from "../database/gen/workspaceviews.gen.ts";
import { matchedProvisioners, toProvisionerJob, type JobExtras } from "../provisionerjobs/wire.ts";
import { toAgent, type ViewOptions } from "./agent.ts";

export type WorkspaceViewRow = GetWorkspaceViewRow;

export interface BuildFacts {
  readonly b: models.WorkspaceBuild;
  readonly j: models.ProvisionerJob;
  readonly templateVersionName: string;
  readonly initiatorName: string;
  readonly workspaceName: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly ownerAvatarUrl: string;
  readonly resources: readonly GetResourceViewsRow[];
  readonly job?: JobExtras;
  readonly matched?: WorkspaceBuild["matched_provisioners"];
}

/** What a workspace is now, by its latest job and what that job does. */
export function workspaceStatus(
  job: models.ProvisionerJobStatus,
  transition: models.WorkspaceTransition,
): WorkspaceStatus {
  const words = {
    start: ["starting", "running"],
    stop: ["stopping", "stopped"],
    delete: ["deleting", "deleted"],
  } as const;
  switch (job) {
    case "running":
      return words[transition][0];
    case "succeeded":
      return words[transition][1];
    case "unknown":
      return "failed";
    default:
      return job;
  }
}

export function toResource(row: GetResourceViewsRow, options: ViewOptions): WorkspaceResource {
  const { r } = row;
  return {
    id: r.id,
    created_at: r.createdAt,
    job_id: r.jobId,
    workspace_transition: r.transition,
    type: r.type,
    name: r.name,
    hide: r.hide,
    icon: r.icon,
    agents: row.agents.map((agent) => toAgent(agent, options)),
    metadata: row.metadata.map((one) => ({ key: one.key, value: one.value ?? "", sensitive: one.sensitive })),
    daily_cost: r.dailyCost,
  };
}

export function toBuild(facts: BuildFacts, options: ViewOptions): WorkspaceBuild {
  const { b, j } = facts;
  return {
    id: b.id,
    created_at: b.createdAt,
    updated_at: b.updatedAt,
    workspace_id: b.workspaceId,
    workspace_name: facts.workspaceName,
    workspace_owner_id: facts.ownerId,
    workspace_owner_name: facts.ownerName,
    workspace_owner_avatar_url: facts.ownerAvatarUrl,
    template_version_id: b.templateVersionId,
    template_version_name: facts.templateVersionName,
    build_number: b.buildNumber,
    transition: b.transition,
    initiator_id: b.initiatorId,
    initiator_name: facts.initiatorName,
    job: toProvisionerJob(j, facts.job),
    reason: wireReason(b.reason),
    resources: facts.resources.map((row) => toResource(row, options)),
    deadline: b.deadline,
    max_deadline: b.maxDeadline,
    status: workspaceStatus(j.jobStatus, b.transition),
    daily_cost: b.dailyCost,
    matched_provisioners: facts.matched ?? matchedProvisioners([], b.createdAt),
    template_version_preset_id: b.templateVersionPresetId,
    has_ai_task: b.hasAiTask ?? undefined,
    has_external_agent: b.hasExternalAgent ?? undefined,
  };
}

/** Reasons that are ours alone are shown as their nearest known one. */
function wireReason(reason: models.BuildReason): WorkspaceBuild["reason"] {
  switch (reason) {
    case "failedstop":
      return "autostop";
    case "autodelete":
      return "dormancy";
    default:
      return reason;
  }
}

const prebuildsUserId = "c42fdf75-3097-471c-8c33-fb52454d81c0";

export interface WorkspaceViewOptions extends ViewOptions {
  /** Whose favourites count. */
  readonly callerId: string;
  readonly allowRenames: boolean;
}

export function toWorkspace(
  row: WorkspaceViewRow &
    Pick<BuildFacts, "job" | "matched"> & { readonly sharedWith?: Workspace["shared_with"] },
  resources: readonly GetResourceViewsRow[],
  options: WorkspaceViewOptions,
): Workspace {
  const { w } = row;
  const build = toBuild({ ...row, workspaceName: w.name, ownerId: w.ownerId, resources }, options);
  const agents = build.resources.flatMap((resource) => resource.agents ?? []);
  const failing = agents
    .filter((agent) => !agent.health.healthy && agent.parent_id === null)
    .map((agent) => agent.id);
  return {
    id: w.id,
    created_at: w.createdAt,
    updated_at: w.updatedAt,
    owner_id: w.ownerId,
    owner_name: row.ownerName,
    owner_avatar_url: row.ownerAvatarUrl,
    organization_id: w.organizationId,
    organization_name: row.organizationName,
    template_id: w.templateId,
    template_name: row.templateName,
    template_display_name: row.templateDisplayName,
    template_icon: row.templateIcon,
    template_allow_user_cancel_workspace_jobs: row.allowUserCancelWorkspaceJobs,
    template_active_version_id: row.templateActiveVersionId,
    template_require_active_version: row.requireActiveVersion,
    template_use_classic_parameter_flow: row.useClassicParameterFlow,
    latest_build: build,
    latest_app_status: latestStatus(agents.flatMap((agent) => agent.apps.flatMap((app) => app.statuses))),
    outdated: row.b.templateVersionId !== row.templateActiveVersionId,
    name: w.name,
    autostart_schedule: w.autostartSchedule ?? undefined,
    // Where users may not choose, the template chooses.
    ttl_ms: row.allowUserAutostop ? (w.ttlMs ?? undefined) : row.defaultTtlMs,
    last_used_at: w.lastUsedAt ?? new Date(-62_135_596_800_000),
    deleting_at: w.deletingAt,
    dormant_at: w.dormantAt,
    health: { healthy: failing.length === 0, failing_agents: failing },
    automatic_updates: w.automaticUpdates,
    allow_renames: options.allowRenames,
    favorite: w.favorite && w.ownerId === options.callerId,
    next_start_at: w.nextStartAt,
    is_prebuild: w.ownerId === prebuildsUserId,
    task_id: null,
    shared_with: row.sharedWith,
  };
}

function latestStatus(statuses: readonly WorkspaceAppStatus[]): WorkspaceAppStatus | null {
  return statuses.reduce<WorkspaceAppStatus | null>(
    (newest, one) => (newest === null || one.created_at > newest.created_at ? one : newest),
    null,
  );
}
