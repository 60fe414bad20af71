/** Versions as the API shows them: with their job, its place in the queue and the daemons that could take it. */
import type { TemplateVersion as WireVersion } from "#codersdk/templateversions.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { nilUuid } from "../database/dbauthz/kinds.ts";
import type { ProvisionerJob, TemplateVersion } from "../database/gen/models.gen.ts";
import { daemonStaleMs, matchedProvisioners, toProvisionerJob } from "../provisionerjobs/wire.ts";

export interface VersionRow {
  readonly v: TemplateVersion;
  readonly j: ProvisionerJob;
  readonly creatorUsername: string;
  readonly creatorName: string;
  readonly creatorAvatarUrl: string;
}

/** All rows at the price of two statements, none where every job has ended. */
export async function toVersions(
  ctx: Ctx,
  store: AuthzStore,
  rows: readonly VersionRow[],
): Promise<WireVersion[]> {
  const waiting = rows.filter(({ j }) => j.jobStatus === "pending").map(({ j }) => j.id);
  const seenAfter = new Date(ctx.now().getTime() - daemonStaleMs);
  const [queues, daemons] =
    waiting.length === 0
      ? [[], []]
      : await Promise.all([
          store.getProvisionerJobQueues(ctx, { ids: waiting, seenAfter }),
          store.getEligibleDaemons(ctx, { jobIds: waiting }),
        ]);
  return rows.map((row) => {
    const queue = queues.find(({ id }) => id === row.j.id);
    const matched = waiting.includes(row.j.id)
      ? matchedProvisioners(
          daemons.filter(({ jobId }) => jobId === row.j.id),
          row.j.createdAt,
        )
      : undefined;
    return { ...toVersion(row, queue), matched_provisioners: matched };
  });
}

/** One row; throws if there is none. */
export async function toVersionOf(ctx: Ctx, store: AuthzStore, row: VersionRow): Promise<WireVersion> {
  const [version] = await toVersions(ctx, store, [row]);
  if (version === undefined) throw new Error("a version was lost");
  return version;
}

/** The answer to a creation: its place in the queue is not known yet, the daemons are, whatever became of the job. */
export async function toNewVersion(ctx: Ctx, store: AuthzStore, row: VersionRow): Promise<WireVersion> {
  const daemons = await store.getEligibleDaemons(ctx, { jobIds: [row.j.id] });
  return { ...toVersion(row), matched_provisioners: matchedProvisioners(daemons, row.j.createdAt) };
}

function toVersion(
  { v, j, creatorUsername, creatorName, creatorAvatarUrl }: VersionRow,
  queue?: { readonly position: number | null; readonly size: number | null },
): WireVersion {
  return {
    id: v.id,
    template_id: v.templateId ?? nilUuid,
    organization_id: v.organizationId,
    created_at: v.createdAt,
    updated_at: v.updatedAt,
    name: v.name,
    message: v.message,
    job: toProvisionerJob(j, { queue: queue && { position: queue.position ?? 0, size: queue.size ?? 0 } }),
    readme: v.readme,
    created_by: {
      id: v.createdBy,
      username: creatorUsername,
      name: creatorName,
      avatar_url: creatorAvatarUrl,
    },
    archived: v.archived,
    warnings: undefined,
    matched_provisioners: undefined,
    has_external_agent: v.hasExternalAgent ?? false,
  };
}
