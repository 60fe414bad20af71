/** Agents inside workspaces, and how to reach them. */
import { WorkspaceAgentListContainersResponse } from "./containers.ts";
import { endpoint } from "./endpoint.ts";
import { LogLevel } from "./provisionerjobs.ts";
import { Response } from "./response.ts";
import * as w from "./wire.ts";

export const WorkspaceAgentPortShareLevel = w.enums("owner", "authenticated", "organization", "public");
export type WorkspaceAgentPortShareLevel = w.Infer<typeof WorkspaceAgentPortShareLevel>;

export const AgentSubsystem = w.enums("envbox", "envbuilder", "exectrace");
export type AgentSubsystem = w.Infer<typeof AgentSubsystem>;

export const DERPRegion = w.struct("DERPRegion", {
  preferred: w.bool(),
  latency_ms: w.float(),
});
export type DERPRegion = w.Infer<typeof DERPRegion>;

export const DisplayApp = w.enums(
  "vscode",
  "vscode_insiders",
  "web_terminal",
  "port_forwarding_helper",
  "ssh_helper",
);
export type DisplayApp = w.Infer<typeof DisplayApp>;

export const WorkspaceAgentHealth = w.struct("WorkspaceAgentHealth", {
  healthy: w.bool(),
  reason: w.omit(w.string()),
});
export type WorkspaceAgentHealth = w.Infer<typeof WorkspaceAgentHealth>;

export const WorkspaceAgentLifecycle = w.enums(
  "created",
  "starting",
  "start_timeout",
  "start_error",
  "ready",
  "shutting_down",
  "shutdown_timeout",
  "shutdown_error",
  "off",
);
export type WorkspaceAgentLifecycle = w.Infer<typeof WorkspaceAgentLifecycle>;

export const WorkspaceAgentLogSource = w.struct("WorkspaceAgentLogSource", {
  workspace_agent_id: w.uuid(),
  id: w.uuid(),
  created_at: w.time(),
  display_name: w.string(),
  icon: w.string(),
});
export type WorkspaceAgentLogSource = w.Infer<typeof WorkspaceAgentLogSource>;

export const WorkspaceAgentScriptStatus = w.enums("ok", "exit_failure", "timed_out", "pipes_left_open");
export type WorkspaceAgentScriptStatus = w.Infer<typeof WorkspaceAgentScriptStatus>;

export const WorkspaceAgentScript = w.struct("WorkspaceAgentScript", {
  id: w.uuid(),
  log_source_id: w.uuid(),
  log_path: w.string(),
  script: w.string(),
  cron: w.string(),
  run_on_start: w.bool(),
  run_on_stop: w.bool(),
  start_blocks_login: w.bool(),
  timeout: w.durationNs(),
  display_name: w.string(),
  exit_code: w.ptr(w.int()),
  status: w.ptr(WorkspaceAgentScriptStatus),
});
export type WorkspaceAgentScript = w.Infer<typeof WorkspaceAgentScript>;

export const WorkspaceAgentStartupScriptBehavior = w.enums("blocking", "non-blocking");
export type WorkspaceAgentStartupScriptBehavior = w.Infer<typeof WorkspaceAgentStartupScriptBehavior>;

export const WorkspaceAgentStatus = w.enums("connecting", "connected", "disconnected", "timeout");
export type WorkspaceAgentStatus = w.Infer<typeof WorkspaceAgentStatus>;

export const Healthcheck = w.struct("Healthcheck", {
  url: w.string(),
  interval: w.int(),
  threshold: w.int(),
});
export type Healthcheck = w.Infer<typeof Healthcheck>;

export const WorkspaceAppHealth = w.enums("disabled", "initializing", "healthy", "unhealthy");
export type WorkspaceAppHealth = w.Infer<typeof WorkspaceAppHealth>;

export const WorkspaceAppOpenIn = w.enums("slim-window", "tab");
export type WorkspaceAppOpenIn = w.Infer<typeof WorkspaceAppOpenIn>;

export const WorkspaceAppSharingLevel = w.enums("owner", "authenticated", "organization", "public");
export type WorkspaceAppSharingLevel = w.Infer<typeof WorkspaceAppSharingLevel>;

export const WorkspaceAppStatusState = w.enums("working", "idle", "complete", "failure");
export type WorkspaceAppStatusState = w.Infer<typeof WorkspaceAppStatusState>;

export const WorkspaceAppStatus = w.struct("WorkspaceAppStatus", {
  id: w.uuid(),
  created_at: w.time(),
  workspace_id: w.uuid(),
  agent_id: w.uuid(),
  app_id: w.uuid(),
  state: WorkspaceAppStatusState,
  message: w.string(),
  uri: w.string(),
  icon: w.string(),
  needs_user_attention: w.bool(),
});
export type WorkspaceAppStatus = w.Infer<typeof WorkspaceAppStatus>;

export const WorkspaceApp = w.struct("WorkspaceApp", {
  id: w.uuid(),
  url: w.omit(w.string()),
  external: w.bool(),
  slug: w.string(),
  display_name: w.omit(w.string()),
  command: w.omit(w.string()),
  icon: w.omit(w.string()),
  subdomain: w.bool(),
  subdomain_name: w.omit(w.string()),
  sharing_level: WorkspaceAppSharingLevel,
  healthcheck: Healthcheck,
  health: WorkspaceAppHealth,
  group: w.omit(w.string()),
  hidden: w.bool(),
  open_in: WorkspaceAppOpenIn,
  tooltip: w.omit(w.string()),
  statuses: w.list(WorkspaceAppStatus),
});
export type WorkspaceApp = w.Infer<typeof WorkspaceApp>;

export const WorkspaceAgent = w.struct("WorkspaceAgent", {
  id: w.uuid(),
  parent_id: w.nullable(w.uuid()),
  created_at: w.time(),
  updated_at: w.time(),
  first_connected_at: w.ptr(w.time()),
  last_connected_at: w.ptr(w.time()),
  disconnected_at: w.ptr(w.time()),
  started_at: w.ptr(w.time()),
  ready_at: w.ptr(w.time()),
  status: WorkspaceAgentStatus,
  lifecycle_state: WorkspaceAgentLifecycle,
  name: w.string(),
  resource_id: w.uuid(),
  instance_id: w.omit(w.string()),
  architecture: w.string(),
  environment_variables: w.nullable(w.map(w.string())),
  operating_system: w.string(),
  logs_length: w.int(),
  logs_overflowed: w.bool(),
  directory: w.omit(w.string()),
  expanded_directory: w.omit(w.string()),
  version: w.string(),
  api_version: w.string(),
  apps: w.nullList(WorkspaceApp),
  latency: w.omit(w.map(DERPRegion)),
  connection_timeout_seconds: w.int(),
  troubleshooting_url: w.string(),
  subsystems: w.list(AgentSubsystem),
  health: WorkspaceAgentHealth,
  display_apps: w.nullList(DisplayApp),
  log_sources: w.list(WorkspaceAgentLogSource),
  scripts: w.list(WorkspaceAgentScript),
  startup_script_behavior: WorkspaceAgentStartupScriptBehavior,
});
export type WorkspaceAgent = w.Infer<typeof WorkspaceAgent>;

export const WorkspaceAgentLog = w.struct("WorkspaceAgentLog", {
  id: w.int(),
  created_at: w.time(),
  output: w.string(),
  level: LogLevel,
  source_id: w.uuid(),
});
export type WorkspaceAgentLog = w.Infer<typeof WorkspaceAgentLog>;

export const WorkspaceAgentListeningPort = w.struct("WorkspaceAgentListeningPort", {
  process_name: w.string(),
  network: w.string(),
  port: w.int(),
});
export type WorkspaceAgentListeningPort = w.Infer<typeof WorkspaceAgentListeningPort>;

export const WorkspaceAgentListeningPortsResponse = w.struct("WorkspaceAgentListeningPortsResponse", {
  ports: w.nullList(WorkspaceAgentListeningPort),
});
export type WorkspaceAgentListeningPortsResponse = w.Infer<typeof WorkspaceAgentListeningPortsResponse>;

export const AgentConnectionInfo = w.struct("AgentConnectionInfo", {
  /** Relays, in the JSON that WireGuard clients share (`Regions`, `Nodes` …). */
  derp_map: w.json(),
  derp_force_websockets: w.bool(),
  disable_direct_connections: w.bool(),
  hostname_suffix: w.omit(w.string()),
});
export type AgentConnectionInfo = w.Infer<typeof AgentConnectionInfo>;

export const AgentGitSSHKey = w.struct("AgentGitSSHKey", {
  public_key: w.string(),
  private_key: w.string(),
});
export type AgentGitSSHKey = w.Infer<typeof AgentGitSSHKey>;

export const Log = w.struct("Log", {
  created_at: w.time(),
  output: w.string(),
  /** A `LogLevel`; any text here, so that the refusal can name it. */
  level: w.string(),
});
export type Log = w.Infer<typeof Log>;

export const PatchLogs = w.struct("PatchLogs", {
  log_source_id: w.uuid(),
  logs: w.nullList(Log),
});
export type PatchLogs = w.Infer<typeof PatchLogs>;

export const PostLogSourceRequest = w.struct("PostLogSourceRequest", {
  id: w.uuid(),
  display_name: w.string(),
  icon: w.string(),
});
export type PostLogSourceRequest = w.Infer<typeof PostLogSourceRequest>;

export const PatchAppStatus = w.struct("PatchAppStatus", {
  app_slug: w.string(),
  /** A `WorkspaceAppStatusState`. */
  state: w.string(),
  message: w.string(),
  uri: w.string(),
  /** Old agents' fields; ignored. */
  icon: w.string(),
  needs_user_attention: w.bool(),
});
export type PatchAppStatus = w.Infer<typeof PatchAppStatus>;

export const ReinitializationReason = w.enums("prebuild_claimed");
export type ReinitializationReason = w.Infer<typeof ReinitializationReason>;

export const ReinitializationEvent = w.struct("ReinitializationEvent", {
  workspace_id: w.uuid(),
  reason: ReinitializationReason,
  owner_id: w.omit(w.uuid()),
});
export type ReinitializationEvent = w.Infer<typeof ReinitializationEvent>;

export const Region = w.struct("Region", {
  id: w.uuid(),
  name: w.string(),
  display_name: w.string(),
  icon_url: w.string(),
  healthy: w.bool(),
  path_app_url: w.string(),
  wildcard_hostname: w.string(),
});
export type Region = w.Infer<typeof Region>;

export const RegionsResponsecodersdk_Region = w.struct("RegionsResponsecodersdk_Region", {
  regions: w.list(Region),
});
export type RegionsResponsecodersdk_Region = w.Infer<typeof RegionsResponsecodersdk_Region>;

export const WorkspaceAgentMetadata = w.struct("WorkspaceAgentMetadata", {
  result: w.struct("WorkspaceAgentMetadataResult", {
    collected_at: w.time(),
    /** Seconds. */
    age: w.int(),
    value: w.string(),
    error: w.string(),
  }),
  description: w.struct("WorkspaceAgentMetadataDescription", {
    display_name: w.string(),
    key: w.string(),
    script: w.string(),
    /** Seconds. */
    interval: w.int(),
    timeout: w.int(),
  }),
});
export type WorkspaceAgentMetadata = w.Infer<typeof WorkspaceAgentMetadata>;

export const workspaceagents = {
  get: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    responses: { 200: WorkspaceAgent },
    summary: "An agent",
  }),
  logs: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/logs",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    query: { before: "int", after: "int", follow: "present", no_compression: "present", format: "string" },
    responses: { 200: w.list(WorkspaceAgentLog) },
    stream: ["websocket"],
    summary: "Log of an agent",
  }),
  startupLogs: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/startup-logs",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    query: { before: "int", after: "int", follow: "present", no_compression: "present", format: "string" },
    responses: { 200: w.list(WorkspaceAgentLog) },
    stream: ["websocket"],
    summary: "Log of an agent (old route)",
  }),
  pty: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/pty",
    auth: "session|signed_app_token",
    rate: "none",
    uuidParams: ["workspaceagent"],
    query: {
      backend_type: "string",
      command: "string",
      container: "string",
      container_user: "string",
      height: "string",
      reconnect: "uuid",
      width: "string",
    },
    responses: { 101: null },
    stream: ["websocket"],
    summary: "A terminal in a workspace",
  }),
  listeningPorts: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/listening-ports",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    responses: { 200: WorkspaceAgentListeningPortsResponse },
    summary: "Ports that programs in a workspace listen on",
  }),
  containers: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/containers",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    query: { label: "strings" },
    responses: { 200: WorkspaceAgentListContainersResponse },
    summary: "Containers beside an agent",
  }),
  watchContainers: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/containers/watch",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    responses: { 200: WorkspaceAgentListContainersResponse },
    stream: ["websocket"],
    summary: "Containers beside an agent, on every change",
  }),
  recreateDevcontainer: endpoint({
    method: "POST",
    path: "/api/v2/workspaceagents/{workspaceagent}/containers/devcontainers/{devcontainer}/recreate",
    auth: "session|proxy",
    csrf: "exempt",
    uuidParams: ["workspaceagent"],
    responses: { 202: Response },
    summary: "Make a dev container anew",
  }),
  deleteDevcontainer: endpoint({
    method: "DELETE",
    path: "/api/v2/workspaceagents/{workspaceagent}/containers/devcontainers/{devcontainer}",
    auth: "session|proxy",
    csrf: "exempt",
    uuidParams: ["workspaceagent"],
    responses: { 204: null },
    summary: "Stop and remove a dev container",
  }),
  watchMetadata: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/watch-metadata",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    responses: { 200: w.list(WorkspaceAgentMetadata) },
    stream: ["sse"],
    summary: "Metadata of an agent on every change",
  }),
  watchMetadataWs: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/watch-metadata-ws",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    responses: { 200: w.list(WorkspaceAgentMetadata) },
    stream: ["websocket"],
    summary: "Metadata of an agent on every change",
  }),
  coordinate: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/coordinate",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    query: { resume_token: "string", version: "string" },
    responses: { 101: null },
    stream: ["websocket"],
    summary: "Exchange network nodes with an agent",
  }),
  connection: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/{workspaceagent}/connection",
    auth: "session|proxy",
    uuidParams: ["workspaceagent"],
    responses: { 200: AgentConnectionInfo },
    summary: "How to connect to an agent",
  }),
  connectionGeneric: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/connection",
    auth: "session|proxy",
    responses: { 200: AgentConnectionInfo },
    summary: "How to connect to agents",
  }),
  rpc: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/me/rpc",
    auth: "agent",
    query: { role: "string", version: "string" },
    responses: { 101: null },
    stream: ["websocket"],
    summary: "The agent API",
  }),
  gitSshKey: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/me/gitsshkey",
    auth: "agent",
    responses: { 200: AgentGitSSHKey },
    summary: "The owner's ssh key",
  }),
  patchLogs: endpoint({
    method: "PATCH",
    path: "/api/v2/workspaceagents/me/logs",
    auth: "agent",
    csrf: "exempt",
    body: PatchLogs,
    // Log lines may be as long as an agent's whole log; what is too much is told by the handler.
    bodyLimit: 4 << 20,
    responses: { 200: w.nullable(Response) },
    summary: "Send log lines",
  }),
  postLogSource: endpoint({
    method: "POST",
    path: "/api/v2/workspaceagents/me/log-source",
    auth: "agent",
    csrf: "exempt",
    body: PostLogSourceRequest,
    responses: { 201: WorkspaceAgentLogSource },
    summary: "Announce a source of log lines",
  }),
  patchAppStatus: endpoint({
    method: "PATCH",
    path: "/api/v2/workspaceagents/me/app-status",
    auth: "agent",
    csrf: "exempt",
    body: PatchAppStatus,
    responses: { 200: w.nullable(Response) },
    summary: "Say what an app is working on",
  }),
  reinit: endpoint({
    method: "GET",
    path: "/api/v2/workspaceagents/me/reinit",
    auth: "agent",
    query: { wait: "bool" },
    responses: { 200: ReinitializationEvent },
    stream: ["sse"],
    summary: "Wait until the agent must start anew",
  }),
  derpMap: endpoint({
    method: "GET",
    path: "/api/v2/derp-map",
    auth: "none",
    responses: { 101: null },
    stream: ["websocket"],
    summary: "Relays, on every change",
  }),
  tailnet: endpoint({
    method: "GET",
    path: "/api/v2/tailnet",
    auth: "session",
    query: { resume_token: "string", version: "string" },
    responses: { 101: null },
    stream: ["websocket"],
    summary: "The tailnet API",
  }),
  regions: endpoint({
    method: "GET",
    path: "/api/v2/regions",
    auth: "session",
    responses: { 200: RegionsResponsecodersdk_Region },
    summary: "Regions that serve workspaces",
  }),
};
