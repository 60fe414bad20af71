/** Template import: what a template asks for and would make (spec provisioning §4). */
import { WorkspaceTransition, type VariableValue } from "#rpc/gen/provisionersdk_pb.js";
import type { AcquiredJob_TemplateImport } from "#rpc/gen/provisionerd_pb.js";
import { sha256 } from "#provisionersdk/upload.ts";
import { failed, planAndGraph, withMetadata, type JobSteps, type Outcome } from "./steps.ts";

/** Module archives above this size travel as a file of their own. */
const inlineModules = 1024 * 1024;

export async function runImport(steps: JobSteps, job: AcquiredJob_TemplateImport): Promise<Outcome> {
  const { session, log, api } = steps;
  const type = { case: "templateImport", value: {} } as const;
  log.enter("Initializing Terraform Directory");
  const init = await session.init({
    templateSourceArchive: steps.job.templateSourceArchive,
    omitModuleFiles: false,
  });
  if (init.error !== "") return failed(`template import init error: ${init.error}`, { type });
  log.stage("Parsing template parameters");
  const parse = await session.parse();
  if (parse.error !== "") return failed(`run parse: parse error: ${parse.error}`, { type });
  const { templateVariables, readme, workspaceTags } = parse;
  let variableValues: readonly VariableValue[];
  try {
    const update = { templateVariables, userVariableValues: job.userVariableValues, readme, workspaceTags };
    ({ variableValues } = await log.update(update));
  } catch (error) {
    return failed(`update job: ${error instanceof Error ? error.message : String(error)}`, { type });
  }
  const plan = async (stage: string, workspaceTransition: WorkspaceTransition) => {
    log.stage(stage);
    const metadata = withMetadata(job.metadata, { workspaceTransition });
    return planAndGraph(session, { metadata, variableValues: [...variableValues] });
  };
  const start = await plan("Detecting persistent resources", WorkspaceTransition.START);
  if ("error" in start) return failed(planError("start", start), { type });
  const stop = await plan("Detecting ephemeral resources", WorkspaceTransition.STOP);
  if ("error" in stop) return failed(planError("stop", stop), { type });

  const byFile = init.moduleFiles.length > inlineModules;
  if (byFile) await api.upload(init.moduleFiles);
  const { graph } = start;
  return {
    completed: {
      case: "templateImport",
      value: {
        startResources: graph.resources,
        stopResources: stop.graph.resources,
        richParameters: graph.parameters,
        externalAuthProviders: graph.externalAuthProviders,
        externalAuthProvidersNames: graph.externalAuthProviders.map(({ id }) => id),
        startModules: init.modules,
        presets: graph.presets,
        plan: start.plan.plan,
        moduleFiles: byFile ? new Uint8Array() : init.moduleFiles,
        moduleFilesHash: byFile ? sha256(init.moduleFiles) : new Uint8Array(),
        hasAiTasks: graph.hasAiTasks,
        hasExternalAgents: graph.hasExternalAgents,
      },
    },
  };
}

function planError(transition: string, { error, step }: { error: string; step: "plan" | "graph" }): string {
  const what = step === "plan" ? "plan during" : "graph during";
  return `template import provision for ${transition}: ${what} template import provision error: ${error}`;
}
