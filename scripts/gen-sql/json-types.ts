/** What JSON columns hold: names from src/coderd/database/types.ts. A column that is not here is `unknown`. */
export const jsonTypes: Readonly<Record<string, string>> = {
  "provisioner_daemons.tags": "StringMap",
  "provisioner_keys.tags": "StringMap",
  "provisioner_jobs.tags": "StringMap",
  "workspace_agents.environment_variables": "StringMap",
  "workspace_agent_stats.connections_by_proto": "NumberMap",
  "templates.user_acl": "TemplateAcl",
  "templates.group_acl": "TemplateAcl",
  "workspaces.user_acl": "WorkspaceAcl",
  "workspaces.group_acl": "WorkspaceAcl",
  "custom_roles.site_permissions": "RolePermission[]",
  "custom_roles.org_permissions": "RolePermission[]",
  "custom_roles.user_permissions": "RolePermission[]",
  "custom_roles.member_permissions": "RolePermission[]",
  "template_version_parameters.options": "ParameterOption[]",
};
