/** Workspaces. */
import { endpoint } from "./endpoint.ts";
import { ProvisionerJobStatus, WorkspaceTransition } from "./provisionerjobs.ts";
import { Response } from "./response.ts";
import { groupFields } from "./groups.ts";
import { MinimalUser } from "./users.ts";
import { WorkspaceAgentLifecycle, WorkspaceAppStatus } from "./workspaceagents.ts";
import { WorkspaceBuild, WorkspaceBuildParameter, WorkspaceBuildTimings } from "./workspacebuilds.ts";
import * as w from "./wire.ts";

export const AutomaticUpdates = w.enums("always", "never");
export type AutomaticUpdates = w.Infer<typeof AutomaticUpdates>;

export const SharedWorkspaceActorType = w.enums("group", "user");
export type SharedWorkspaceActorType = w.Infer<typeof SharedWorkspaceActorType>;

export const WorkspaceRole = w.enums("admin", "use", "");
export type WorkspaceRole = w.Infer<typeof WorkspaceRole>;

export const SharedWorkspaceActor = w.struct("SharedWorkspaceActor", {
  id: w.uuid(),
  actor_type: SharedWorkspaceActorType,
  name: w.string(),
  avatar_url: w.omit(w.string()),
  roles: w.nullList(WorkspaceRole),
});
export type SharedWorkspaceActor = w.Infer<typeof SharedWorkspaceActor>;

export const WorkspaceHealth = w.struct("WorkspaceHealth", {
  healthy: w.bool(),
  failing_agents: w.list(w.uuid()),
});
export type WorkspaceHealth = w.Infer<typeof WorkspaceHealth>;

export const Workspace = w.struct("Workspace", {
  id: w.uuid(),
  created_at: w.time(),
  updated_at: w.time(),
  owner_id: w.uuid(),
  owner_name: w.string(),
  owner_avatar_url: w.string(),
  organization_id: w.uuid(),
  organization_name: w.string(),
  template_id: w.uuid(),
  template_name: w.string(),
  template_display_name: w.string(),
  template_icon: w.string(),
  template_allow_user_cancel_workspace_jobs: w.bool(),
  template_active_version_id: w.uuid(),
  template_require_active_version: w.bool(),
  template_use_classic_parameter_flow: w.bool(),
  latest_build: WorkspaceBuild,
  latest_app_status: w.nullable(WorkspaceAppStatus),
  outdated: w.bool(),
  name: w.string(),
  autostart_schedule: w.ptr(w.string()),
  ttl_ms: w.ptr(w.int()),
  last_used_at: w.time(),
  deleting_at: w.nullable(w.time()),
  dormant_at: w.nullable(w.time()),
  health: WorkspaceHealth,
  automatic_updates: AutomaticUpdates,
  allow_renames: w.bool(),
  favorite: w.bool(),
  next_start_at: w.nullable(w.time()),
  is_prebuild: w.bool(),
  task_id: w.nullable(w.uuid()),
  shared_with: w.omit(w.list(SharedWorkspaceActor)),
});
export type Workspace = w.Infer<typeof Workspace>;

export const WorkspacesResponse = w.struct("WorkspacesResponse", {
  workspaces: w.list(Workspace),
  count: w.int(),
});
export type WorkspacesResponse = w.Infer<typeof WorkspacesResponse>;

export const CreateWorkspaceRequest = w.struct("CreateWorkspaceRequest", {
  template_id: w.uuid("required_without=template_version_id,excluded_with=template_version_id"),
  template_version_id: w.uuid("required_without=template_id,excluded_with=template_id"),
  name: w.string("workspace_name,required"),
  autostart_schedule: w.ptr(w.string()),
  ttl_ms: w.ptr(w.int()),
  rich_parameter_values: w.omit(w.list(WorkspaceBuildParameter)),
  automatic_updates: w.omit(AutomaticUpdates),
  template_version_preset_id: w.uuid(),
});
export type CreateWorkspaceRequest = w.Infer<typeof CreateWorkspaceRequest>;

export const UpdateWorkspaceRequest = w.struct("UpdateWorkspaceRequest", {
  name: w.omit(w.string("username")),
});
export type UpdateWorkspaceRequest = w.Infer<typeof UpdateWorkspaceRequest>;

export const CreateWorkspaceBuildReason = w.enums(
  "dashboard",
  "cli",
  "ssh_connection",
  "vscode_connection",
  "jetbrains_connection",
  "task_manual_pause",
  "task_resume",
);
export type CreateWorkspaceBuildReason = w.Infer<typeof CreateWorkspaceBuildReason>;

export const ProvisionerLogLevel = w.enums("debug");
export type ProvisionerLogLevel = w.Infer<typeof ProvisionerLogLevel>;

export const CreateWorkspaceBuildRequest = w.struct("CreateWorkspaceBuildRequest", {
  template_version_id: w.uuid(),
  transition: WorkspaceTransition,
  dry_run: w.omit(w.bool()),
  state: w.omit(w.bytes()),
  orphan: w.omit(w.bool()),
  rich_parameter_values: w.omit(w.list(WorkspaceBuildParameter)),
  log_level: w.omit(ProvisionerLogLevel),
  template_version_preset_id: w.uuid(),
  reason: w.omit(CreateWorkspaceBuildReason),
});
export type CreateWorkspaceBuildRequest = w.Infer<typeof CreateWorkspaceBuildRequest>;

export const UpdateWorkspaceAutostartRequest = w.struct("UpdateWorkspaceAutostartRequest", {
  schedule: w.ptr(w.string()),
});
export type UpdateWorkspaceAutostartRequest = w.Infer<typeof UpdateWorkspaceAutostartRequest>;

export const UpdateWorkspaceTTLRequest = w.struct("UpdateWorkspaceTTLRequest", {
  ttl_ms: w.nullable(w.int()),
});
export type UpdateWorkspaceTTLRequest = w.Infer<typeof UpdateWorkspaceTTLRequest>;

export const UpdateWorkspaceAutomaticUpdatesRequest = w.struct("UpdateWorkspaceAutomaticUpdatesRequest", {
  automatic_updates: AutomaticUpdates,
});
export type UpdateWorkspaceAutomaticUpdatesRequest = w.Infer<typeof UpdateWorkspaceAutomaticUpdatesRequest>;

export const UsageAppName = w.enums("vscode", "jetbrains", "reconnecting-pty", "ssh");
export type UsageAppName = w.Infer<typeof UsageAppName>;

export const PostWorkspaceUsageRequest = w.struct("PostWorkspaceUsageRequest", {
  agent_id: w.uuid(),
  app_name: UsageAppName,
});
export type PostWorkspaceUsageRequest = w.Infer<typeof PostWorkspaceUsageRequest>;

export const ResolveAutostartResponse = w.struct("ResolveAutostartResponse", {
  parameter_mismatch: w.bool(),
});
export type ResolveAutostartResponse = w.Infer<typeof ResolveAutostartResponse>;

export const PutExtendWorkspaceRequest = w.struct("PutExtendWorkspaceRequest", {
  deadline: w.time("required"),
});
export type PutExtendWorkspaceRequest = w.Infer<typeof PutExtendWorkspaceRequest>;

export const UpdateWorkspaceDormancy = w.struct("UpdateWorkspaceDormancy", { dormant: w.bool() });
export type UpdateWorkspaceDormancy = w.Infer<typeof UpdateWorkspaceDormancy>;

export const WorkspaceUser = w.struct("WorkspaceUser", { ...MinimalUser.shape, role: WorkspaceRole });
export type WorkspaceUser = w.Infer<typeof WorkspaceUser>;

export const WorkspaceGroup = w.struct("WorkspaceGroup", { ...groupFields, role: WorkspaceRole });
export type WorkspaceGroup = w.Infer<typeof WorkspaceGroup>;

export const WorkspaceACL = w.struct("WorkspaceACL", {
  users: w.list(WorkspaceUser),
  group: w.list(WorkspaceGroup),
});
export type WorkspaceACL = w.Infer<typeof WorkspaceACL>;

export const UpdateWorkspaceACL = w.struct("UpdateWorkspaceACL", {
  /** Id → role; the empty role removes. Unknown roles are told in the answer's validations. */
  user_roles: w.omit(w.map(w.string())),
  group_roles: w.omit(w.map(w.string())),
});
export type UpdateWorkspaceACL = w.Infer<typeof UpdateWorkspaceACL>;

export const UserParameter = w.struct("UserParameter", { name: w.string(), value: w.string() });
export type UserParameter = w.Infer<typeof UserParameter>;

export const WatchError = w.struct("WatchError", {
  code: w.int(),
  retryable: w.bool(),
  message: w.string(),
  details: w.omit(w.string()),
});

/** What somebody who waits for an agent must know: first the build, then the agent. */
export const ConnectionWatchEvent = w.struct("ConnectionWatchEvent", {
  error: w.nullable(WatchError),
  build_update: w.ptr(
    w.struct("ConnectionWatchBuild", {
      transition: WorkspaceTransition,
      job_status: ProvisionerJobStatus,
    }),
  ),
  agent_update: w.ptr(w.struct("ConnectionWatchAgent", { lifecycle: WorkspaceAgentLifecycle, id: w.uuid() })),
});
export type ConnectionWatchEvent = w.Infer<typeof ConnectionWatchEvent>;

export const workspaces = {
  list: endpoint({
    method: "GET",
    path: "/api/v2/workspaces",
    auth: "session",
    query: { q: "string", limit: "int", offset: "int", after_id: "uuid" },
    responses: { 200: WorkspacesResponse },
    summary: "Workspaces that the caller may read",
  }),
  create: endpoint({
    method: "POST",
    path: "/api/v2/users/{user}/workspaces",
    auth: "session",
    body: CreateWorkspaceRequest,
    responses: { 201: Workspace },
    audit: "create WorkspaceTable",
    summary: "Create a workspace",
  }),
  createInOrganization: endpoint({
    method: "POST",
    path: "/api/v2/organizations/{organization}/members/{user}/workspaces",
    auth: "session",
    body: CreateWorkspaceRequest,
    responses: { 201: Workspace },
    audit: "create WorkspaceTable",
    summary: "Create a workspace (old route)",
  }),
  getByName: endpoint({
    method: "GET",
    path: "/api/v2/users/{user}/workspace/{workspacename}",
    auth: "session",
    query: { include_deleted: "bool" },
    responses: { 200: Workspace },
    summary: "A workspace by owner and name",
  }),
  buildByNumber: endpoint({
    method: "GET",
    path: "/api/v2/users/{user}/workspace/{workspacename}/builds/{buildnumber}",
    auth: "session",
    responses: { 200: WorkspaceBuild },
    summary: "A build by its number",
  }),
  get: endpoint({
    method: "GET",
    path: "/api/v2/workspaces/{workspace}",
    auth: "session",
    uuidParams: ["workspace"],
    query: { include_deleted: "bool" },
    responses: { 200: Workspace },
    summary: "A workspace",
  }),
  rename: endpoint({
    method: "PATCH",
    path: "/api/v2/workspaces/{workspace}",
    auth: "session",
    uuidParams: ["workspace"],
    body: UpdateWorkspaceRequest,
    responses: { 204: null },
    audit: "write WorkspaceTable",
    summary: "Rename a workspace",
  }),
  watch: endpoint({
    method: "GET",
    path: "/api/v2/workspaces/{workspace}/watch",
    auth: "session",
    uuidParams: ["workspace"],
    responses: { 200: Workspace },
    stream: ["sse"],
    summary: "A workspace on every change",
  }),
  watchWs: endpoint({
    method: "GET",
    path: "/api/v2/workspaces/{workspace}/watch-ws",
    auth: "session",
    uuidParams: ["workspace"],
    responses: { 200: Workspace },
    stream: ["websocket"],
    summary: "A workspace on every change",
  }),
  builds: endpoint({
    method: "GET",
    path: "/api/v2/workspaces/{workspace}/builds",
    auth: "session",
    uuidParams: ["workspace"],
    query: { after_id: "uuid", limit: "int", offset: "int", since: "string" },
    responses: { 200: w.list(WorkspaceBuild) },
    summary: "Builds of a workspace",
  }),
  createBuild: endpoint({
    method: "POST",
    path: "/api/v2/workspaces/{workspace}/builds",
    auth: "session",
    uuidParams: ["workspace"],
    body: CreateWorkspaceBuildRequest,
    responses: { 201: WorkspaceBuild },
    audit: "background,delete,write",
    summary: "Start, stop or delete a workspace",
  }),
  setAutostart: endpoint({
    method: "PUT",
    path: "/api/v2/workspaces/{workspace}/autostart",
    auth: "session",
    uuidParams: ["workspace"],
    body: UpdateWorkspaceAutostartRequest,
    responses: { 204: null },
    audit: "write WorkspaceTable",
    summary: "Set when a workspace starts by itself",
  }),
  setTtl: endpoint({
    method: "PUT",
    path: "/api/v2/workspaces/{workspace}/ttl",
    auth: "session",
    uuidParams: ["workspace"],
    body: UpdateWorkspaceTTLRequest,
    responses: { 204: null },
    audit: "write WorkspaceTable",
    summary: "Set after how long a workspace stops by itself",
  }),
  setAutoupdates: endpoint({
    method: "PUT",
    path: "/api/v2/workspaces/{workspace}/autoupdates",
    auth: "session",
    uuidParams: ["workspace"],
    body: UpdateWorkspaceAutomaticUpdatesRequest,
    responses: { 204: null },
    audit: "write WorkspaceTable",
    summary: "Set whether a workspace updates by itself",
  }),
  favorite: endpoint({
    method: "PUT",
    path: "/api/v2/workspaces/{workspace}/favorite",
    auth: "session",
    uuidParams: ["workspace"],
    responses: { 204: null },
    audit: "write WorkspaceTable",
    summary: "Mark as favourite",
  }),
  unfavorite: endpoint({
    method: "DELETE",
    path: "/api/v2/workspaces/{workspace}/favorite",
    auth: "session",
    uuidParams: ["workspace"],
    responses: { 204: null },
    audit: "write WorkspaceTable",
    summary: "Unmark as favourite",
  }),
  usage: endpoint({
    method: "POST",
    path: "/api/v2/workspaces/{workspace}/usage",
    auth: "session",
    uuidParams: ["workspace"],
    body: PostWorkspaceUsageRequest,
    responses: { 204: null },
    summary: "Tell that a workspace is used",
  }),
  resolveAutostart: endpoint({
    method: "GET",
    path: "/api/v2/workspaces/{workspace}/resolve-autostart",
    auth: "session",
    uuidParams: ["workspace"],
    responses: { 200: ResolveAutostartResponse },
    summary: "Whether parameters stop an automatic start",
  }),
  timings: endpoint({
    method: "GET",
    path: "/api/v2/workspaces/{workspace}/timings",
    auth: "session",
    uuidParams: ["workspace"],
    responses: { 200: WorkspaceBuildTimings },
    summary: "What took how long in the latest build",
  }),
  dormant: endpoint({
    method: "PUT",
    path: "/api/v2/workspaces/{workspace}/dormant",
    auth: "session",
    uuidParams: ["workspace"],
    body: UpdateWorkspaceDormancy,
    responses: { 200: Workspace, 304: null },
    audit: "write WorkspaceTable",
    summary: "Make a workspace dormant, or wake it",
  }),
  acl: endpoint({
    method: "GET",
    path: "/api/v2/workspaces/{workspace}/acl",
    auth: "session",
    uuidParams: ["workspace"],
    responses: { 200: WorkspaceACL },
    summary: "With whom a workspace is shared",
  }),
  setAcl: endpoint({
    method: "PATCH",
    path: "/api/v2/workspaces/{workspace}/acl",
    auth: "session",
    uuidParams: ["workspace"],
    body: UpdateWorkspaceACL,
    responses: { 204: null },
    audit: "write WorkspaceTable",
    summary: "Share a workspace",
  }),
  clearAcl: endpoint({
    method: "DELETE",
    path: "/api/v2/workspaces/{workspace}/acl",
    auth: "session",
    uuidParams: ["workspace"],
    responses: { 204: null },
    audit: "write WorkspaceTable",
    summary: "Share a workspace with nobody any more",
  }),
  connectionWatch: endpoint({
    method: "GET",
    path: "/api/v2/workspaces/{workspace}/agent-connection-watch",
    auth: "session",
    uuidParams: ["workspace"],
    query: { agent_name: "string" },
    responses: { 101: ConnectionWatchEvent },
    stream: ["websocket"],
    summary: "The latest build, then its agent, on every change",
  }),
  autofill: endpoint({
    method: "GET",
    path: "/api/v2/users/{user}/autofill-parameters",
    auth: "session",
    query: { template_id: "uuid" },
    strictQuery: true,
    responses: { 200: w.list(UserParameter) },
    summary: "Values that a user gave to a template's parameters before",
  }),
  extend: endpoint({
    method: "PUT",
    path: "/api/v2/workspaces/{workspace}/extend",
    auth: "session",
    uuidParams: ["workspace"],
    body: PutExtendWorkspaceRequest,
    responses: { 200: Response },
    summary: "Move the deadline",
  }),
};
