/**
 * Workspace build: init → plan → quota → apply → graph (spec provisioning §4). Whatever fails after resources were
 * made, the state goes to the server with the failure: nothing that exists is forgotten.
 */
import type { AcquiredJob_WorkspaceBuild } from "#rpc/gen/provisionerd_pb.js";
import { GraphSource, LogLevel, WorkspaceTransition, type Timing } from "#rpc/gen/provisionersdk_pb.js";
import { failed, type JobSteps, type Outcome } from "./steps.ts";

export async function runBuild(steps: JobSteps, job: AcquiredJob_WorkspaceBuild): Promise<Outcome> {
  const { session, log, api } = steps;
  const metadata = job.metadata ?? {};
  const timings: Timing[] = [];
  /** A failure; `state` absent means: keep what the server has. */
  const fail = (error: string, state?: Uint8Array): Outcome => {
    const kept = state && state.length > 0 ? { state } : {};
    return failed(error, { type: { case: "workspaceBuild", value: { ...kept, timings } } });
  };

  const modulesFile = job.metadata?.templateVersionModulesFile ?? "";
  const modules = modulesFile === "" ? undefined : await api.download(modulesFile);
  log.enter("Initializing Terraform Directory");
  const { templateSourceArchive } = steps.job;
  const init = await session.init({ templateSourceArchive, omitModuleFiles: true }, modules);
  timings.push(...init.timings);
  if (init.error !== "") return fail(init.error, job.state);

  log.enter("Planning Infrastructure");
  const { richParameterValues, variableValues, externalAuthProviders, previousParameterValues, state } = job;
  const plan = await session.plan({
    metadata,
    richParameterValues,
    variableValues,
    externalAuthProviders,
    previousParameterValues,
    state,
  });
  timings.push(...plan.timings);
  if (plan.error !== "") return fail(plan.error);
  if (plan.aiTaskCount > 1) {
    return fail(
      `only one 'coder_ai_task' resource can be provisioned per template, found ${plan.aiTaskCount}`,
    );
  }

  const transition = job.metadata?.workspaceTransition ?? WorkspaceTransition.START;
  await log.flush();
  if (transition !== WorkspaceTransition.DESTROY && plan.dailyCost > 0) {
    const refused = await commitQuota(steps, plan.dailyCost);
    if (refused) {
      return {
        failed: {
          ...refused,
          type: { case: "workspaceBuild", value: { timings } },
          errorCode: "INSUFFICIENT_QUOTA",
        },
      };
    }
  }

  log.stage(applyStage(transition));
  const apply = await session.apply({ metadata });
  timings.push(...apply.timings);
  if (apply.state.length > 0) await steps.keepState(apply.state);
  if (apply.error !== "") return fail(apply.error, apply.state);

  log.enter("Graphing Infrastructure");
  const graph = await session.graph({ metadata, source: GraphSource.SOURCE_STATE });
  timings.push(...graph.timings);
  if (graph.error !== "") return fail(graph.error, apply.state);
  return {
    completed: {
      case: "workspaceBuild",
      value: {
        state: apply.state,
        resources: graph.resources,
        timings,
        modules: init.modules,
        resourceReplacements: plan.resourceReplacements,
        aiTasks: graph.aiTasks,
      },
    },
  };
}

async function commitQuota(
  { log, api }: JobSteps,
  dailyCost: number,
): Promise<{ error: string } | undefined> {
  log.enter("Commit quota");
  const { ok, creditsConsumed, budget } = await api.commitQuota(dailyCost);
  log.add(LogLevel.INFO, `Build cost       —   ${dailyCost}`);
  log.add(LogLevel.INFO, `Budget           —   ${budget}`);
  log.add(LogLevel.INFO, `Credits consumed —   ${creditsConsumed}`);
  if (ok) return undefined;
  log.add(LogLevel.WARN, "This build would exceed your quota. Failing.");
  return { error: "insufficient quota" };
}

function applyStage(transition: WorkspaceTransition): string {
  switch (transition) {
    case WorkspaceTransition.START:
      return "Starting workspace";
    case WorkspaceTransition.STOP:
      return "Stopping workspace";
    case WorkspaceTransition.DESTROY:
      return "Destroying workspace";
  }
}
