/**
 * Makes a build: loads the facts, asks plan.ts, writes build, job, parameters and state in the caller's transaction.
 * After the commit a daemon hears of the job and watchers of the workspace. Used by every way to start, stop or delete.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { ProvisionerJob, Template, Workspace, WorkspaceBuild } from "../database/gen/models.gen.ts";
import type { GetPresetsToBuildRow } from "../database/gen/wsbuilder.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { auditBuild } from "../provisionerdserver/audit-build.ts";
import type { Forms } from "../dynamicparameters/forms.ts";
import { insertJob } from "../provisionerjobs/jobs.ts";
import { actors } from "../rbac/actors.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import {
  activeBuild,
  type BuildFacts,
  type BuildRequest,
  chooseVersion,
  checkBuild,
  planBuild,
} from "./plan.ts";
import { buildValues } from "./values.ts";
import type { NamedValue } from "./parameters.ts";
import type { PresetFacts } from "./presets.ts";

export interface BuilderDeps {
  readonly pubsub: Pubsub;
  readonly rand: Rand;
  readonly forms: Forms;
}

export interface MadeBuild {
  readonly workspace: Workspace;
  readonly build: WorkspaceBuild;
  readonly job: ProvisionerJob;
}

export interface MakeBuild {
  readonly workspaceId: string;
  readonly initiatorId: string;
  readonly request: BuildRequest;
  /** Throws why there may be no such build of this version. */
  readonly check?: (facts: { readonly template: Template; readonly versionId: string }) => void;
}

/** A daemon that was not seen for this long takes no job. */
const staleMs = 90_000;

export async function makeBuild(
  ctx: Ctx,
  tx: AuthzTx,
  deps: BuilderDeps,
  options: MakeBuild,
): Promise<MadeBuild> {
  const { request, initiatorId } = options;
  const facts = await loadFacts(ctx, tx, options.workspaceId, request);
  const { version, preset } = checkBuild(facts, request);
  options.check?.({ template: facts.template, versionId: version.v.id });
  const resolved = await buildValues(ctx, tx, deps.forms, { facts, request, version, preset });
  const plan = planBuild(facts, request, resolved);
  const { workspace } = facts;
  const system = ctx.as(
    actors.provisionerd,
    "writes the parts of a build that is authorized by its own rule",
  );
  const buildId = deps.rand.uuid();
  try {
    const job = await insertJob(ctx, tx, deps.pubsub, {
      id: deps.rand.uuid(),
      organizationId: workspace.organizationId,
      initiatorId,
      type: "workspace_build",
      provisioner: version.j.provisioner,
      fileId: version.j.fileId,
      input: { workspace_build_id: buildId, log_level: request.logLevel ?? "" },
      tags: plan.tags,
      workspaceId: workspace.id,
      createdAt: ctx.now(),
    });
    const build = await tx.insertWorkspaceBuild(ctx, {
      id: buildId,
      workspaceId: workspace.id,
      buildNumber: plan.buildNumber,
      templateVersionId: version.v.id,
      presetId: plan.presetId,
      jobId: job.id,
      initiatorId,
      transition: request.transition,
      reason: request.reason,
      now: ctx.now(),
    });
    await tx.insertWorkspaceBuildParameters(system, {
      buildId,
      names: plan.values.map(({ name }) => name),
      values: plan.values.map(({ value }) => value),
    });
    if (plan.state.kind === "given") {
      await tx.upsertBuildState(system, { buildId, state: Buffer.from(plan.state.bytes) });
    } else if (plan.state.kind === "last") {
      await tx.copyBuildState(system, { toBuildId: buildId, fromBuildId: plan.state.buildId });
    }
    if (request.transition === "start" && workspace.dormantAt) {
      await tx.clearWorkspaceDormancy(ctx, { id: workspace.id, now: ctx.now() });
    }
    if (request.orphan) await forgetWithoutDaemon(system, tx, { workspace, job, buildId });
    const event = { kind: "state_change", workspaceId: workspace.id } as const;
    tx.afterCommit(() => publishWorkspaceEvent(deps.pubsub, workspace.ownerId, event));
    return { workspace, build, job };
  } catch (error) {
    if (isActiveBuild(error)) throw activeBuild(error);
    throw error;
  }
}

function isActiveBuild(error: unknown): boolean {
  return (
    isUniqueViolation(error, "provisioner_jobs_one_active_build_idx") ||
    isUniqueViolation(error, "workspace_builds_workspace_id_build_number_key")
  );
}

/** Nobody is there to run an orphaning delete, which would do nothing anyway: the server ends it itself. */
async function forgetWithoutDaemon(
  ctx: Ctx,
  tx: AuthzTx,
  orphan: { readonly workspace: Workspace; readonly job: ProvisionerJob; readonly buildId: string },
): Promise<void> {
  const { workspace, job, buildId } = orphan;
  const since = ctx.now().getTime() - staleMs;
  const daemons = await tx.getEligibleDaemons(ctx, { jobIds: [job.id] });
  if (daemons.some(({ lastSeenAt }) => lastSeenAt !== null && lastSeenAt.getTime() >= since)) return;
  const now = ctx.now();
  await tx.completeProvisionerJob(ctx, { id: job.id, now, startedAt: now, error: null, errorCode: null });
  await tx.markWorkspaceDeleted(ctx, { id: workspace.id, now });
  await tx.deleteAgentsOfWorkspace(ctx, { workspaceId: workspace.id, now });
  const facts = await tx.getWorkspaceForJob(ctx, { buildId: buildId });
  await auditBuild(ctx, tx, { job, facts, statusCode: 200 });
}

async function loadFacts(
  ctx: Ctx,
  tx: AuthzTx,
  workspaceId: string,
  request: BuildRequest,
): Promise<BuildFacts> {
  await tx.lockWorkspaceToBuild(ctx, { id: workspaceId });
  const found = await tx.getBuildFacts(ctx, { workspaceId });
  const { w: workspace, t: template } = found;
  const { lastBuildId, lastBuildNumber, lastVersionId, lastStatus } = found;
  const last =
    lastBuildId === null || lastBuildNumber === null || lastVersionId === null || lastStatus === null
      ? undefined
      : { id: lastBuildId, number: lastBuildNumber, versionId: lastVersionId, status: lastStatus };
  const system = ctx.as(actors.provisionerd, "reads what a version asks for");
  const versionId = chooseVersion(request, template, last);
  return {
    workspace,
    template,
    last,
    version: await tx.getVersionToBuild(system, { id: versionId }),
    parameters: await tx.getParametersToBuild(system, { templateVersionId: versionId }),
    lastValues: last ? await tx.getBuildParameters(system, { buildId: last.id }) : [],
    presets: groupPresets(await tx.getPresetsToBuild(system, { templateVersionId: versionId })),
  };
}

function groupPresets(rows: readonly GetPresetsToBuildRow[]): PresetFacts[] {
  const byId = new Map<string, PresetFacts & { values: NamedValue[] }>();
  for (const { id, name, isDefault, parameterName, parameterValue } of rows) {
    const preset = byId.get(id) ?? { id, name, isDefault, values: [] };
    byId.set(id, preset);
    if (parameterName !== null) preset.values.push({ name: parameterName, value: parameterValue ?? "" });
  }
  return [...byId.values()];
}
