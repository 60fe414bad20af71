/** What took how long: the steps of a build, the connecting of its agents and their scripts. */
import type { WorkspaceBuildTimings } from "#codersdk/workspacebuilds.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { actors } from "../rbac/actors.ts";

/** Of a build that the caller has read. */
export async function loadTimings(
  store: AuthzStore,
  ctx: Ctx,
  jobId: string,
): Promise<WorkspaceBuildTimings> {
  const system = ctx.as(actors.system, "how long a build took that the caller has read");
  const [steps, scripts, agents] = await Promise.all([
    store.getProvisionerJobTimings(ctx, { jobId }),
    store.getScriptTimings(system, { jobId }),
    store.getAgentConnectTimes(system, { jobId }),
  ]);
  return {
    provisioner_timings: steps.map((step) => ({
      job_id: step.jobId,
      started_at: step.startedAt,
      ended_at: step.endedAt,
      stage: step.stage,
      source: step.source,
      action: step.action,
      resource: step.resource,
    })),
    agent_script_timings: scripts.map(({ t, displayName, agentId, agentName }) => ({
      started_at: t.startedAt,
      ended_at: t.endedAt,
      exit_code: t.exitCode,
      stage: t.stage,
      status: t.status,
      display_name: displayName,
      workspace_agent_id: agentId,
      workspace_agent_name: agentName,
    })),
    agent_connection_timings: agents.flatMap(({ id, name, createdAt, firstConnectedAt }) =>
      firstConnectedAt
        ? [
            {
              started_at: createdAt,
              ended_at: firstConnectedAt,
              stage: "connect" as const,
              workspace_agent_id: id,
              workspace_agent_name: name,
            },
          ]
        : [],
    ),
  };
}
