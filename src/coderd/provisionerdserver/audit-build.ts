/** The audit entry of a build's end, filed under the job's id and its initiator. */
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";
import type { GetWorkspaceForJobRow } from "../database/gen/provisionerdserver.gen.ts";

export async function auditBuild(
  ctx: Ctx,
  tx: AuthzTx,
  end: { readonly job: ProvisionerJob; readonly facts: GetWorkspaceForJobRow; readonly statusCode: number },
): Promise<void> {
  const { b: build, w: workspace } = end.facts;
  await audit(tx, ctx, {
    action: build.transition,
    type: "workspace_build",
    after: build,
    statusCode: end.statusCode,
    requestId: end.job.id,
    userId: end.job.initiatorId,
    organizationId: workspace.organizationId,
    extra: {
      workspace_name: workspace.name,
      build_number: String(build.buildNumber),
      build_reason: build.reason,
      workspace_id: workspace.id,
    },
  });
}
