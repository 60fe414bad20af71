/** Builds: one start, stop or deletion of a workspace, and the resources it made. */
import { endpoint } from "./endpoint.ts";
import {
  MatchedProvisioners,
  ProvisionerJob,
  ProvisionerJobLog,
  ProvisionerTiming,
  TimingStage,
  WorkspaceTransition,
} from "./provisionerjobs.ts";
import { Response } from "./response.ts";
import { WorkspaceAgent } from "./workspaceagents.ts";
import * as w from "./wire.ts";

export const WorkspaceResourceMetadata = w.struct("WorkspaceResourceMetadata", {
  key: w.string(),
  value: w.string(),
  sensitive: w.bool(),
});
export type WorkspaceResourceMetadata = w.Infer<typeof WorkspaceResourceMetadata>;

export const WorkspaceResource = w.struct("WorkspaceResource", {
  id: w.uuid(),
  created_at: w.time(),
  job_id: w.uuid(),
  workspace_transition: WorkspaceTransition,
  type: w.string(),
  name: w.string(),
  hide: w.bool(),
  icon: w.string(),
  agents: w.omit(w.list(WorkspaceAgent)),
  metadata: w.omit(w.list(WorkspaceResourceMetadata)),
  daily_cost: w.int(),
});
export type WorkspaceResource = w.Infer<typeof WorkspaceResource>;

export const WorkspaceBuildParameter = w.struct("WorkspaceBuildParameter", {
  name: w.string(),
  value: w.string(),
});
export type WorkspaceBuildParameter = w.Infer<typeof WorkspaceBuildParameter>;

export const BuildReason = w.enums(
  "initiator",
  "autostart",
  "autostop",
  "dormancy",
  "dashboard",
  "cli",
  "ssh_connection",
  "vscode_connection",
  "jetbrains_connection",
  "task_auto_pause",
  "task_manual_pause",
  "task_resume",
);
export type BuildReason = w.Infer<typeof BuildReason>;

export const WorkspaceStatus = w.enums(
  "pending",
  "starting",
  "running",
  "stopping",
  "stopped",
  "failed",
  "canceling",
  "canceled",
  "deleting",
  "deleted",
);
export type WorkspaceStatus = w.Infer<typeof WorkspaceStatus>;

export const WorkspaceBuild = w.struct("WorkspaceBuild", {
  id: w.uuid(),
  created_at: w.time(),
  updated_at: w.time(),
  workspace_id: w.uuid(),
  workspace_name: w.string(),
  workspace_owner_id: w.uuid(),
  workspace_owner_name: w.string(),
  workspace_owner_avatar_url: w.omit(w.string()),
  template_version_id: w.uuid(),
  template_version_name: w.string(),
  build_number: w.int(),
  transition: WorkspaceTransition,
  initiator_id: w.uuid(),
  initiator_name: w.string(),
  job: ProvisionerJob,
  reason: BuildReason,
  resources: w.list(WorkspaceResource),
  deadline: w.nullable(w.time()),
  max_deadline: w.nullable(w.time()),
  status: WorkspaceStatus,
  daily_cost: w.int(),
  matched_provisioners: w.ptr(MatchedProvisioners),
  template_version_preset_id: w.nullable(w.uuid()),
  has_ai_task: w.ptr(w.bool()),
  has_external_agent: w.ptr(w.bool()),
});
export type WorkspaceBuild = w.Infer<typeof WorkspaceBuild>;

export const AgentConnectionTiming = w.struct("AgentConnectionTiming", {
  started_at: w.time(),
  ended_at: w.time(),
  stage: TimingStage,
  workspace_agent_id: w.string(),
  workspace_agent_name: w.string(),
});
export type AgentConnectionTiming = w.Infer<typeof AgentConnectionTiming>;

export const AgentScriptTiming = w.struct("AgentScriptTiming", {
  started_at: w.time(),
  ended_at: w.time(),
  exit_code: w.int(),
  stage: TimingStage,
  status: w.string(),
  display_name: w.string(),
  workspace_agent_id: w.string(),
  workspace_agent_name: w.string(),
});
export type AgentScriptTiming = w.Infer<typeof AgentScriptTiming>;

export const WorkspaceBuildTimings = w.struct("WorkspaceBuildTimings", {
  provisioner_timings: w.list(ProvisionerTiming),
  agent_script_timings: w.list(AgentScriptTiming),
  agent_connection_timings: w.list(AgentConnectionTiming),
});
export type WorkspaceBuildTimings = w.Infer<typeof WorkspaceBuildTimings>;

export const UpdateWorkspaceBuildStateRequest = w.struct("UpdateWorkspaceBuildStateRequest", {
  state: w.bytes(),
});
export type UpdateWorkspaceBuildStateRequest = w.Infer<typeof UpdateWorkspaceBuildStateRequest>;

export const workspacebuilds = {
  get: endpoint({
    method: "GET",
    path: "/api/v2/workspacebuilds/{workspacebuild}",
    auth: "session",
    uuidParams: ["workspacebuild"],
    responses: { 200: WorkspaceBuild },
    summary: "A build",
  }),
  cancel: endpoint({
    method: "PATCH",
    path: "/api/v2/workspacebuilds/{workspacebuild}/cancel",
    auth: "session",
    uuidParams: ["workspacebuild"],
    query: { expect_status: "string" },
    responses: { 200: Response },
    summary: "Stop a build",
  }),
  logs: endpoint({
    method: "GET",
    path: "/api/v2/workspacebuilds/{workspacebuild}/logs",
    auth: "session",
    uuidParams: ["workspacebuild"],
    query: { before: "int", after: "int", follow: "present", format: "string" },
    responses: { 200: w.list(ProvisionerJobLog) },
    stream: ["websocket"],
    summary: "Log of a build",
  }),
  parameters: endpoint({
    method: "GET",
    path: "/api/v2/workspacebuilds/{workspacebuild}/parameters",
    auth: "session",
    uuidParams: ["workspacebuild"],
    responses: { 200: w.list(WorkspaceBuildParameter) },
    summary: "Parameter values of a build",
  }),
  resources: endpoint({
    method: "GET",
    path: "/api/v2/workspacebuilds/{workspacebuild}/resources",
    auth: "session",
    uuidParams: ["workspacebuild"],
    responses: { 200: w.list(WorkspaceResource) },
    summary: "Resources of a build",
  }),
  state: endpoint({
    method: "GET",
    path: "/api/v2/workspacebuilds/{workspacebuild}/state",
    auth: "session",
    uuidParams: ["workspacebuild"],
    responses: { 200: { raw: "application/json" } },
    summary: "Terraform state of a build",
  }),
  setState: endpoint({
    method: "PUT",
    path: "/api/v2/workspacebuilds/{workspacebuild}/state",
    auth: "session",
    uuidParams: ["workspacebuild"],
    body: UpdateWorkspaceBuildStateRequest,
    responses: { 204: null },
    summary: "Replace the state of a build",
  }),
  timings: endpoint({
    method: "GET",
    path: "/api/v2/workspacebuilds/{workspacebuild}/timings",
    auth: "session",
    uuidParams: ["workspacebuild"],
    responses: { 200: WorkspaceBuildTimings },
    summary: "What took how long in a build",
  }),
};
