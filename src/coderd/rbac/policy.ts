/**
 * The words of authorization: resource types with their actions. Facts of the 2.34 line; they change every release, so
 * they are data. The table validates stored roles and scope names; it does not restrict decisions.
 */

/** Resource type → its actions. */
export const resourceActions = {
  ai_model_price: ["read", "update"],
  ai_provider: ["create", "delete", "read", "update"],
  ai_seat: ["create", "read"],
  aibridge_interception: ["create", "read", "update"],
  api_key: ["create", "delete", "read", "update"],
  assign_org_role: ["assign", "create", "delete", "read", "unassign", "update"],
  assign_role: ["assign", "read", "unassign"],
  audit_log: ["create", "read"],
  boundary_usage: ["delete", "read", "update"],
  chat: ["create", "delete", "read", "share", "update"],
  connection_log: ["read", "update"],
  crypto_key: ["create", "delete", "read", "update"],
  debug_info: ["read"],
  deployment_config: ["read", "update"],
  deployment_stats: ["read"],
  file: ["create", "read"],
  group: ["create", "delete", "read", "update"],
  group_member: ["read"],
  idpsync_settings: ["read", "update"],
  inbox_notification: ["create", "read", "update"],
  license: ["create", "delete", "read"],
  notification_message: ["create", "delete", "read", "update"],
  notification_preference: ["read", "update"],
  notification_template: ["read", "update"],
  oauth2_app: ["create", "delete", "read", "update"],
  oauth2_app_code_token: ["create", "delete", "read"],
  oauth2_app_secret: ["create", "delete", "read", "update"],
  organization: ["create", "delete", "read", "update"],
  organization_member: ["create", "delete", "read", "update"],
  prebuilt_workspace: ["delete", "update"],
  provisioner_daemon: ["create", "delete", "read", "update"],
  provisioner_jobs: ["create", "read", "update"],
  replicas: ["read"],
  system: ["create", "delete", "read", "update"],
  tailnet_coordinator: ["create", "delete", "read", "update"],
  task: ["create", "delete", "read", "update"],
  template: ["create", "delete", "read", "update", "use", "view_insights"],
  usage_event: ["create", "read", "update"],
  user: ["create", "delete", "read", "read_personal", "update", "update_personal"],
  user_secret: ["create", "delete", "read", "update"],
  user_skill: ["create", "delete", "read", "update"],
  webpush_subscription: ["create", "delete", "read"],
  workspace: [
    "application_connect",
    "create",
    "create_agent",
    "delete",
    "delete_agent",
    "read",
    "share",
    "ssh",
    "start",
    "stop",
    "update",
    "update_agent",
  ],
  workspace_agent_devcontainers: ["create"],
  workspace_agent_resource_monitor: ["create", "read", "update"],
  workspace_dormant: [
    "application_connect",
    "create",
    "create_agent",
    "delete",
    "delete_agent",
    "read",
    "share",
    "ssh",
    "start",
    "stop",
    "update",
    "update_agent",
  ],
  workspace_proxy: ["create", "delete", "read", "update"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ResourceType = keyof typeof resourceActions;
export type Action = (typeof resourceActions)[ResourceType][number];

export const resourceTypes: readonly ResourceType[] = Object.keys(resourceActions).filter(isResourceType);
export const actions: readonly Action[] = [...new Set(Object.values(resourceActions).flat())].toSorted();

export function isResourceType(name: string): name is ResourceType {
  return Object.hasOwn(resourceActions, name);
}

export function actionsOf(type: ResourceType): readonly Action[] {
  return resourceActions[type];
}

/** In permissions, allow lists and access lists: any. In a question it is an ordinary name. */
export const wildcard = "*";
