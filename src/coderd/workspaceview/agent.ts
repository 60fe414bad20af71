/**
 * An agent as the API shows it. Pure. Connection status and health are functions of the row and the time: nothing else
 * decides whether an agent counts as connected.
 */
import type {
  WorkspaceAgent,
  WorkspaceAgentHealth,
  WorkspaceAgentStatus,
  WorkspaceApp,
} from "#codersdk/workspaceagents.ts";
import type { AgentJson, AppJson, LogSourceJson, ScriptJson } from "../database/types.ts";

export interface ViewOptions {
  readonly now: Date;
  /** An agent that was silent for longer is disconnected. */
  readonly agentInactiveMs: number;
  /** Shown where a template names no page. */
  readonly troubleshootingUrl: string;
}

export interface ConnectionFacts {
  readonly createdAt: Date;
  readonly firstConnectedAt: Date | undefined;
  readonly lastConnectedAt: Date | undefined;
  readonly disconnectedAt: Date | undefined;
  readonly connectionTimeoutSeconds: number;
}

export interface Connection {
  readonly status: WorkspaceAgentStatus;
  /** When it was lost, for `disconnected`. */
  readonly disconnectedAt: Date | undefined;
}

export function agentConnection(facts: ConnectionFacts, now: Date, inactiveMs: number): Connection {
  const { firstConnectedAt, lastConnectedAt, disconnectedAt } = facts;
  if (!firstConnectedAt || !lastConnectedAt) {
    const timeoutMs = facts.connectionTimeoutSeconds * 1000;
    const late = timeoutMs > 0 && now.getTime() - facts.createdAt.getTime() > timeoutMs;
    return { status: late ? "timeout" : "connecting", disconnectedAt: undefined };
  }
  if (disconnectedAt && disconnectedAt >= lastConnectedAt) return { status: "disconnected", disconnectedAt };
  if (now.getTime() - lastConnectedAt.getTime() > inactiveMs) {
    // It broke off without a word: the last sign of life is all that is known.
    return { status: "disconnected", disconnectedAt: lastConnectedAt };
  }
  return { status: "connected", disconnectedAt };
}

export function agentHealth(
  status: WorkspaceAgentStatus,
  lifecycle: AgentJson["lifecycle_state"],
): WorkspaceAgentHealth {
  const sick = (reason: string): WorkspaceAgentHealth => ({ healthy: false, reason });
  if (status !== "connected" && lifecycle === "off") return sick("agent is not running");
  switch (status) {
    case "connecting":
      return sick("agent has not yet connected");
    case "timeout":
      return sick("agent is taking too long to connect");
    case "disconnected":
      return sick("agent has lost connection");
    case "connected":
      break;
  }
  if (lifecycle === "start_error") return sick("agent startup script exited with an error");
  if (lifecycle === "off" || lifecycle.startsWith("shut")) return sick("agent is shutting down");
  return { healthy: true, reason: undefined };
}

const date = (text: string | null): Date | undefined => (text === null ? undefined : new Date(text));

export function toAgent(row: AgentJson, options: ViewOptions): WorkspaceAgent {
  const facts: ConnectionFacts = {
    createdAt: new Date(row.created_at),
    firstConnectedAt: date(row.first_connected_at),
    lastConnectedAt: date(row.last_connected_at),
    disconnectedAt: date(row.disconnected_at),
    connectionTimeoutSeconds: row.connection_timeout_seconds,
  };
  const { status, disconnectedAt } = agentConnection(facts, options.now, options.agentInactiveMs);
  return {
    id: row.id,
    parent_id: row.parent_id,
    created_at: facts.createdAt,
    updated_at: new Date(row.updated_at),
    first_connected_at: facts.firstConnectedAt,
    last_connected_at: facts.lastConnectedAt,
    disconnected_at: disconnectedAt,
    started_at: date(row.started_at),
    ready_at: date(row.ready_at),
    status,
    lifecycle_state: row.lifecycle_state,
    name: row.name,
    resource_id: row.resource_id,
    instance_id: row.auth_instance_id ?? undefined,
    architecture: row.architecture,
    environment_variables:
      Object.keys(row.environment_variables).length > 0 ? row.environment_variables : null,
    operating_system: row.operating_system,
    logs_length: row.logs_length,
    logs_overflowed: row.logs_overflowed,
    directory: row.directory,
    expanded_directory: row.expanded_directory,
    version: row.version,
    api_version: row.api_version,
    apps: row.apps.map(toApp),
    latency: undefined,
    connection_timeout_seconds: row.connection_timeout_seconds,
    troubleshooting_url: row.troubleshooting_url || options.troubleshootingUrl,
    subsystems: row.subsystems,
    health: agentHealth(status, row.lifecycle_state),
    display_apps: row.display_apps,
    log_sources: row.log_sources.map(toLogSource),
    scripts: row.scripts.map(toScript),
    startup_script_behavior: row.scripts.some((one) => one.start_blocks_login) ? "blocking" : "non-blocking",
  };
}

const toLogSource = (row: LogSourceJson): WorkspaceAgent["log_sources"][number] => ({
  workspace_agent_id: row.workspace_agent_id,
  id: row.id,
  created_at: new Date(row.created_at),
  display_name: row.display_name,
  icon: row.icon,
});

const toScript = (row: ScriptJson): WorkspaceAgent["scripts"][number] => ({
  id: row.id,
  log_source_id: row.log_source_id,
  log_path: row.log_path,
  script: row.script,
  cron: row.cron,
  run_on_start: row.run_on_start,
  run_on_stop: row.run_on_stop,
  start_blocks_login: row.start_blocks_login,
  timeout: row.timeout_seconds * 1e9,
  display_name: row.display_name,
  exit_code: row.last_run?.exit_code,
  status: row.last_run?.status,
});

export function toApp(row: AppJson): WorkspaceApp {
  return {
    id: row.id,
    url: row.url ?? undefined,
    external: row.external,
    slug: row.slug,
    display_name: row.display_name,
    command: row.command ?? undefined,
    icon: row.icon,
    subdomain: row.subdomain,
    subdomain_name: undefined,
    sharing_level: row.sharing_level,
    healthcheck: {
      url: row.healthcheck_url,
      interval: row.healthcheck_interval,
      threshold: row.healthcheck_threshold,
    },
    health: row.health,
    group: row.display_group ?? undefined,
    hidden: row.hidden,
    open_in: row.open_in === "window" ? "slim-window" : row.open_in,
    tooltip: row.tooltip,
    statuses: row.statuses.map((status) => ({
      id: status.id,
      created_at: new Date(status.created_at),
      workspace_id: status.workspace_id,
      agent_id: status.agent_id,
      app_id: status.app_id,
      state: status.state,
      message: status.message,
      uri: status.uri ?? "",
      icon: "",
      needs_user_attention: false,
    })),
  };
}
