/** Built-in roles, and the roles that every member of an organization holds. Facts of the 2.34 line. */
import { everythingExcept, grant, type Permission, type Role, siteRole } from "./permission.ts";

/** Switches of the deployment that change built-in roles. */
export interface RoleOptions {
  /** Owners may not enter workspaces of others. */
  readonly noOwnerWorkspaceExec?: boolean;
  readonly noWorkspaceSharing?: boolean;
  readonly noChatSharing?: boolean;
}

/** Who may share workspaces in an organization. */
export type SharingMode = "everyone" | "service_accounts" | "none";

const crud = "create read update delete";
/** What may be done to a dormant workspace: all but waking and entering it. */
const dormant = "read delete create update stop create_agent update_agent delete_agent";

export const siteRoleNames = ["owner", "member", "auditor", "template-admin", "user-admin"] as const;
export type SiteRoleName = (typeof siteRoleNames)[number];

export function builtInSiteRoles(options: RoleOptions = {}): Readonly<Record<SiteRoleName, Role>> {
  return {
    owner: siteRole("owner", "Owner", ownerPermissions(options)),
    member: siteRole("member", "Member", memberSite(options), memberUser),
    auditor: siteRole("auditor", "Auditor", auditor),
    "template-admin": siteRole("template-admin", "Template Admin", templateAdmin),
    "user-admin": siteRole("user-admin", "User Admin", userAdmin),
  };
}

function ownerPermissions({ noOwnerWorkspaceExec = false }: RoleOptions): Permission[] {
  const enter = new Set(["ssh", "application_connect"]);
  return [
    ...everythingExcept(
      "ai_seat",
      "boundary_usage",
      "prebuilt_workspace",
      "usage_event",
      "user_secret",
      "user_skill",
      "workspace",
      "workspace_dormant",
    ),
    ...grant({ workspace: "all" }).filter(({ action }) => !noOwnerWorkspaceExec || !enter.has(action)),
    ...grant({ workspace_dormant: dormant, prebuilt_workspace: "update delete", user_skill: "read delete" }),
  ];
}

function memberSite({ noWorkspaceSharing = false, noChatSharing = false }: RoleOptions): Permission[] {
  return [
    ...grant({ assign_role: "read", oauth2_app: "read", workspace_proxy: "read" }),
    ...(noWorkspaceSharing ? grant({ workspace: "!share" }) : []),
    ...(noChatSharing ? grant({ chat: "!share" }) : []),
  ];
}

const memberUser: readonly Permission[] = [
  ...everythingExcept(
    "ai_seat",
    "aibridge_interception",
    "boundary_usage",
    "chat",
    "organization_member",
    "prebuilt_workspace",
    "user",
    "workspace",
    "workspace_dormant",
  ),
  ...grant({ user: "read read_personal update_personal", aibridge_interception: "create update" }),
];

const auditor = grant({
  aibridge_interception: "read",
  assign_org_role: "read",
  audit_log: "read",
  connection_log: "read",
  deployment_config: "read",
  deployment_stats: "read",
  group: "read",
  group_member: "read",
  organization: "read",
  organization_member: "read",
  template: "read view_insights",
  user: "read",
});

const templateAdmin = grant({
  template: "all",
  file: "create read",
  workspace: "read",
  workspace_dormant: "read",
  prebuilt_workspace: "update delete",
  provisioner_daemon: crud,
  assign_org_role: "read",
  group: "read",
  group_member: "read",
  organization: "read",
  organization_member: "read",
  user: "read",
});

const userAdmin = grant({
  user: "all",
  assign_role: "assign unassign read",
  assign_org_role: "assign unassign read",
  group: crud,
  group_member: "read",
  organization: "read",
  organization_member: crud,
  idpsync_settings: "read update",
});

interface OrgRole {
  readonly displayName: string;
  readonly site?: readonly Permission[];
  readonly org?: readonly Permission[];
  readonly member?: readonly Permission[];
}

const orgRoles = {
  "organization-admin": {
    displayName: "Organization Admin",
    site: grant({ user: "read" }),
    org: [
      ...everythingExcept(
        "ai_seat",
        "assign_role",
        "boundary_usage",
        "prebuilt_workspace",
        "user_secret",
        "workspace",
        "workspace_dormant",
      ),
      ...grant({ workspace: "all" }).filter(
        ({ action }) => action !== "ssh" && action !== "application_connect",
      ),
      ...grant({ workspace_dormant: dormant, prebuilt_workspace: "update delete" }),
    ],
  },
  "organization-auditor": {
    displayName: "Organization Auditor",
    org: grant({
      audit_log: "read",
      connection_log: "read",
      group: "read",
      group_member: "read",
      organization: "read",
      organization_member: "read",
      template: "read view_insights",
    }),
  },
  "organization-user-admin": {
    displayName: "Organization User Admin",
    site: grant({ user: "read" }),
    org: grant({
      assign_org_role: "assign unassign read",
      group: crud,
      group_member: "read",
      organization: "read",
      organization_member: crud,
      idpsync_settings: "read update",
    }),
  },
  "organization-template-admin": {
    displayName: "Organization Template Admin",
    org: grant({
      template: "all",
      file: "create read",
      workspace: "read",
      workspace_dormant: "read",
      prebuilt_workspace: "update delete",
      provisioner_daemon: crud,
      provisioner_jobs: "create read update",
      group: "read",
      group_member: "read",
      organization: "read",
      organization_member: "read",
    }),
  },
  "organization-workspace-creation-ban": {
    displayName: "Organization Workspace Creation Ban",
    org: grant({ workspace: "!create !delete !create_agent !delete_agent" }),
  },
  "agents-access": {
    displayName: "Coder Agents User",
    member: grant({ chat: "create read update share" }),
  },
} as const satisfies Readonly<Record<string, OrgRole>>;

export type OrgRoleName = keyof typeof orgRoles;
export const orgRoleNames = Object.keys(orgRoles).filter(isOrgRoleName);

export function isOrgRoleName(name: string): name is OrgRoleName {
  return Object.hasOwn(orgRoles, name);
}

export function isSiteRoleName(name: string): name is SiteRoleName {
  return siteRoleNames.some((one) => one === name);
}

export function builtInOrgRole(name: OrgRoleName, organization: string): Role {
  const { displayName, site = [], org = [], member = [] }: OrgRole = orgRoles[name];
  return { name, displayName, site, user: [], byOrg: new Map([[organization, { org, member }]]) };
}

/** Held by every member, or every service account, of an organization; stored with it, never assigned by hand. */
export const systemRoleNames = ["organization-member", "organization-service-account"] as const;
export type SystemRoleName = (typeof systemRoleNames)[number];

export function isSystemRoleName(name: string): name is SystemRoleName {
  return systemRoleNames.some((one) => one === name);
}

export function systemRole(name: SystemRoleName, organization: string, mode: SharingMode): Role {
  const human = name === "organization-member";
  const org = [
    ...grant({ assign_org_role: "read", organization: "read", provisioner_daemon: "read" }),
    ...(mode === "none" ? grant({ workspace: "!share" }) : []),
    ...(mode !== "none" ? grant({ organization_member: "read" }) : []),
    ...(mode === "everyone" || (!human && mode === "service_accounts") ? grant({ group: "read" }) : []),
  ];
  const member = [
    ...everythingExcept(
      "aibridge_interception",
      "chat",
      "organization_member",
      "prebuilt_workspace",
      "user",
      "workspace_dormant",
    ),
    ...grant({
      aibridge_interception: "create update",
      organization_member: "read",
      workspace_dormant: dormant,
    }),
    ...(human && mode !== "everyone" ? grant({ workspace: "!share" }) : []),
  ];
  return { name, displayName: "", site: [], user: [], byOrg: new Map([[organization, { org, member }]]) };
}
