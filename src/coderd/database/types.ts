/** What JSON columns hold. Written by our own code only, so rows are trusted; scripts/gen-sql/json-types.ts says which column has which. */

export type StringMap = Readonly<Record<string, string>>;
export type NumberMap = Readonly<Record<string, number>>;

/** User or group id → allowed actions. */
export type TemplateAcl = Readonly<Record<string, readonly string[]>>;

export interface WorkspaceAclEntry {
  readonly permissions: readonly string[];
}
export type WorkspaceAcl = Readonly<Record<string, WorkspaceAclEntry>>;

export interface RolePermission {
  readonly negate: boolean;
  readonly resource_type: string;
  readonly action: string;
}

export interface ParameterOption {
  readonly name: string;
  readonly description: string;
  readonly value: string;
  readonly icon: string;
}

/** One membership of the caller, as `getAuthentication` aggregates it. */
export interface MembershipFacts {
  readonly organization_id: string;
  readonly roles: readonly string[];
  /** Whose workspaces may be shared there: what a member may do depends on it. */
  readonly sharing: "none" | "everyone" | "service_accounts";
}

/** A custom role that the caller holds; a null organization means site-wide. */
export interface CustomRoleFacts {
  readonly organization_id: string | null;
  readonly name: string;
  readonly site_permissions: readonly RolePermission[];
  readonly org_permissions: readonly RolePermission[];
  readonly user_permissions: readonly RolePermission[];
  readonly member_permissions: readonly RolePermission[];
}

/** Rows as `to_jsonb` writes them: columns in snake case, times as RFC 3339 text. */
export interface ResourceMetadataJson {
  readonly key: string;
  readonly value: string | null;
  readonly sensitive: boolean;
}

export interface ScriptJson {
  readonly id: string;
  readonly log_source_id: string;
  readonly log_path: string;
  readonly display_name: string;
  readonly script: string;
  readonly cron: string;
  readonly start_blocks_login: boolean;
  readonly run_on_start: boolean;
  readonly run_on_stop: boolean;
  readonly timeout_seconds: number;
  readonly last_run: {
    readonly exit_code: number;
    readonly status: "ok" | "exit_failure" | "timed_out" | "pipes_left_open";
  } | null;
}

export interface LogSourceJson {
  readonly workspace_agent_id: string;
  readonly id: string;
  readonly display_name: string;
  readonly icon: string;
  readonly created_at: string;
}

export interface AppStatusJson {
  readonly id: string;
  readonly agent_id: string;
  readonly app_id: string;
  readonly workspace_id: string;
  readonly state: "working" | "complete" | "failure" | "idle";
  readonly message: string;
  readonly uri: string | null;
  readonly created_at: string;
}

export interface AppJson {
  readonly id: string;
  readonly slug: string;
  readonly display_name: string;
  readonly icon: string;
  readonly command: string | null;
  readonly url: string | null;
  readonly external: boolean;
  readonly subdomain: boolean;
  readonly sharing_level: "owner" | "authenticated" | "organization" | "public";
  readonly open_in: "tab" | "window" | "slim-window";
  readonly hidden: boolean;
  readonly display_group: string | null;
  readonly tooltip: string;
  readonly healthcheck_url: string;
  readonly healthcheck_interval: number;
  readonly healthcheck_threshold: number;
  readonly health: "disabled" | "initializing" | "healthy" | "unhealthy";
  readonly statuses: readonly AppStatusJson[];
}

export interface AgentJson {
  readonly id: string;
  readonly parent_id: string | null;
  readonly resource_id: string;
  readonly name: string;
  readonly auth_instance_id: string | null;
  readonly architecture: string;
  readonly operating_system: string;
  readonly environment_variables: StringMap;
  readonly directory: string;
  readonly expanded_directory: string;
  readonly connection_timeout_seconds: number;
  readonly troubleshooting_url: string;
  readonly display_apps: readonly (
    | "vscode"
    | "vscode_insiders"
    | "web_terminal"
    | "ssh_helper"
    | "port_forwarding_helper"
  )[];
  readonly version: string;
  readonly api_version: string;
  readonly subsystems: readonly ("envbuilder" | "envbox" | "exectrace")[];
  readonly lifecycle_state:
    | "created"
    | "starting"
    | "start_timeout"
    | "start_error"
    | "ready"
    | "shutting_down"
    | "shutdown_timeout"
    | "shutdown_error"
    | "off";
  readonly started_at: string | null;
  readonly ready_at: string | null;
  readonly first_connected_at: string | null;
  readonly last_connected_at: string | null;
  readonly disconnected_at: string | null;
  readonly logs_length: number;
  readonly logs_overflowed: boolean;
  readonly created_at: string;
  readonly updated_at: string;
  readonly scripts: readonly ScriptJson[];
  readonly log_sources: readonly LogSourceJson[];
  readonly apps: readonly AppJson[];
}
