/** A dry run plans a workspace that nobody makes. Whoever could create the workspace may ask for it. */
import type { CreateTemplateVersionDryRunRequest } from "#codersdk/templateversions.ts";
import type { Ctx } from "../ctx.ts";
import { newWorkspace } from "../database/dbauthz/kinds.ts";
import { permits } from "../database/dbauthz/rule.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import type { GetTemplateVersionByIdRow } from "../database/gen/templateversions.gen.ts";
import { NotFound } from "../errors.ts";
import { insertJob } from "../provisionerjobs/jobs.ts";
import { mustBeImported } from "./access.ts";
import type { CreateVersionDeps } from "./create.ts";

export async function createDryRun(
  ctx: Ctx,
  { store, pubsub, rand }: CreateVersionDeps,
  version: GetTemplateVersionByIdRow,
  body: CreateTemplateVersionDryRunRequest,
): Promise<ProvisionerJob> {
  const { v, j } = version;
  mayPlan(ctx, "create", { organizationId: v.organizationId, ownerId: ctx.actor.id });
  mustBeImported(version, 425);
  return store.inTx(ctx, {}, (tx) =>
    insertJob(ctx, tx, pubsub, {
      id: rand.uuid(),
      organizationId: v.organizationId,
      initiatorId: ctx.actor.id,
      type: "template_version_dry_run",
      provisioner: j.provisioner,
      fileId: j.fileId,
      input: {
        template_version_id: v.id,
        workspace_name: body.workspace_name,
        rich_parameter_values: body.rich_parameter_values,
      },
      tags: j.tags,
      createdAt: ctx.now(),
    }),
  );
}

/** The job, if it is a dry run of this version and the actor could read the workspace that it plans. */
export async function dryRunOf(
  ctx: Ctx,
  { store }: Pick<CreateVersionDeps, "store">,
  ids: { readonly versionId: string; readonly jobId: string },
): Promise<ProvisionerJob> {
  const { v } = await store.getTemplateVersionById(ctx, { id: ids.versionId });
  const job = await store.getProvisionerJobById(ctx, { id: ids.jobId });
  const input = new Map(Object.entries(typeof job.input === "object" && job.input !== null ? job.input : {}));
  if (job.type !== "template_version_dry_run" || input.get("template_version_id") !== v.id) {
    throw new NotFound();
  }
  mayPlan(ctx, "read", { organizationId: v.organizationId, ownerId: job.initiatorId });
  return job;
}

function mayPlan(
  ctx: Ctx,
  action: string,
  facts: { readonly organizationId: string; readonly ownerId: string },
): void {
  if (!permits(ctx.actor, action, newWorkspace, facts)) throw new NotFound();
}
