/** Dry run of a template version: the resources that a workspace with these parameters would have. */
import type { AcquiredJob_TemplateDryRun } from "#rpc/gen/provisionerd_pb.js";
import { WorkspaceTransition } from "#rpc/gen/provisionersdk_pb.js";
import { failed, planAndGraph, withMetadata, type JobSteps, type Outcome } from "./steps.ts";

export async function runDryRun(steps: JobSteps, job: AcquiredJob_TemplateDryRun): Promise<Outcome> {
  const { session, log, rand } = steps;
  const type = { case: "templateDryRun", value: {} } as const;
  log.enter("Initializing Terraform Directory");
  const init = await session.init({
    templateSourceArchive: steps.job.templateSourceArchive,
    omitModuleFiles: true,
  });
  if (init.error !== "") return failed(`run dry-run provision job: ${init.error}`, { type });
  log.enter("Planning Infrastructure");
  const given = job.metadata;
  const planned = await planAndGraph(session, {
    metadata: withMetadata(given, {
      coderUrl: given?.coderUrl || "http://localhost:3000",
      workspaceTransition: WorkspaceTransition.START,
      workspaceName: given?.workspaceName || "dryrun",
      workspaceOwner: given?.workspaceOwner || steps.job.userName || "dryrunner",
      workspaceId: given?.workspaceId || rand.uuid(),
      workspaceOwnerId: given?.workspaceOwnerId || rand.uuid(),
    }),
    richParameterValues: job.richParameterValues,
    variableValues: job.variableValues,
  });
  if ("error" in planned) return failed(`run dry-run provision job: ${planned.error}`, { type });
  const { resources } = planned.graph;
  return { completed: { case: "templateDryRun", value: { resources, modules: init.modules } } };
}
