/**
 * What the audit log tells of each kind of thing. Every column has an entry: one that nobody thought about does not
 * compile. Names are those of the wire, which clients show.
 */
import type {
  ApiKey,
  CustomRole,
  GitSshKey,
  Group,
  Organization,
  OrganizationMember,
  Template,
  TemplateVersion,
  User,
  Workspace,
  WorkspaceBuild,
} from "../database/gen/models.gen.ts";

/** `ignore`: not shown. `secret`: that it changed, never what it is. Else the name on the wire (`track`: as the column). */
export type Field<V> = "ignore" | "track" | "secret" | Named<V>;

export interface Named<V> {
  readonly as: string;
  /** What the log shows of the value; by default the value itself. */
  value?(value: NonNullable<V>): unknown;
}

export interface Resource<Row> {
  readonly id: (row: Row) => string;
  /** What people call it. */
  readonly target: (row: Row) => string;
  readonly icon?: (row: Row) => string;
  /** Undefined: belongs to none. */
  readonly organization: (row: Row) => string | null | undefined;
  readonly fields: { readonly [K in keyof Row]-?: Field<Row[K]> };
}

/** Durations are nanoseconds in the log. */
const duration = (as: string): Field<number | null> => ({ as, value: (ms) => ms * 1e6 });

const noOrganization = (): undefined => undefined;

const user: Resource<User> = {
  id: ({ id }) => id,
  target: ({ username }) => username,
  organization: noOrganization,
  fields: {
    id: "track",
    email: "track",
    username: "track",
    name: "track",
    avatarUrl: "ignore",
    status: "track",
    loginType: "track",
    rbacRoles: "track",
    hashedPassword: "secret",
    createdAt: "ignore",
    updatedAt: "ignore",
    lastSeenAt: "ignore",
    deleted: "track",
    isSystem: "track",
    isServiceAccount: "track",
    quietHoursSchedule: "track",
    githubComUserId: "ignore",
    hashedOneTimePasscode: "ignore",
    oneTimePasscodeExpiresAt: "track",
  },
};

const apiKey: Resource<ApiKey> = {
  id: ({ userId }) => userId,
  target: ({ tokenName }) => tokenName,
  organization: noOrganization,
  fields: {
    id: "ignore",
    hashedSecret: "ignore",
    userId: "track",
    loginType: "ignore",
    tokenName: "ignore",
    scopes: "ignore",
    allowList: "ignore",
    lifetimeSeconds: "ignore",
    ipAddress: "ignore",
    createdAt: "track",
    updatedAt: "ignore",
    lastUsed: "track",
    expiresAt: "track",
  },
};

const gitSshKey: Resource<GitSshKey> = {
  id: ({ userId }) => userId,
  target: ({ publicKey }) => publicKey,
  organization: noOrganization,
  fields: {
    userId: "track",
    createdAt: "ignore",
    updatedAt: "ignore",
    privateKey: "secret",
    publicKey: "track",
  },
};

const organization: Resource<Organization> = {
  id: ({ id }) => id,
  target: ({ name }) => name,
  icon: ({ icon }) => icon,
  organization: ({ id }) => id,
  fields: {
    id: "ignore",
    name: "track",
    displayName: "track",
    description: "track",
    icon: "track",
    isDefault: "track",
    deleted: "track",
    shareableWorkspaceOwners: "track",
    createdAt: "ignore",
    updatedAt: "track",
  },
};

const organizationMember: Resource<AuditedRows["organization_member"]> = {
  id: ({ userId }) => userId,
  target: ({ username }) => username,
  organization: ({ organizationId }) => organizationId,
  fields: {
    organizationId: "ignore",
    userId: "track",
    username: "track",
    roles: "track",
    createdAt: "track",
    updatedAt: "track",
  },
};

const template: Resource<Template> = {
  id: ({ id }) => id,
  target: ({ name }) => name,
  icon: ({ icon }) => icon,
  organization: ({ organizationId }) => organizationId,
  fields: {
    id: "track",
    organizationId: "ignore",
    name: "track",
    displayName: "track",
    description: "track",
    icon: "track",
    provisioner: "track",
    activeVersionId: "track",
    createdBy: "track",
    createdAt: "ignore",
    updatedAt: "ignore",
    deleted: "ignore",
    userAcl: "track",
    groupAcl: "track",
    defaultTtlMs: duration("default_ttl"),
    activityBumpMs: duration("activity_bump"),
    failureTtlMs: duration("failure_ttl"),
    timeTilDormantMs: duration("time_til_dormant"),
    timeTilDormantAutodeleteMs: duration("time_til_dormant_autodelete"),
    autostopRequirementDaysOfWeek: "track",
    autostopRequirementWeeks: "track",
    // The log names the days without start.
    autostartDaysOfWeek: { as: "autostart_block_days_of_week", value: (allowed) => 127 - allowed },
    allowUserAutostart: "track",
    allowUserAutostop: "track",
    allowUserCancelWorkspaceJobs: "track",
    requireActiveVersion: "track",
    deprecated: "track",
    maxPortShareLevel: { as: "max_port_sharing_level" },
    useClassicParameterFlow: "track",
    corsBehavior: "track",
    disableModuleCache: "track",
  },
};

const templateVersion: Resource<TemplateVersion> = {
  id: ({ id }) => id,
  target: ({ name }) => name,
  organization: ({ organizationId }) => organizationId,
  fields: {
    id: "track",
    templateId: "track",
    organizationId: "ignore",
    jobId: "ignore",
    createdBy: "track",
    name: "track",
    message: "ignore",
    readme: "track",
    archived: "track",
    sourceExampleId: "ignore",
    hasAiTask: "ignore",
    hasExternalAgent: "ignore",
    createdAt: "ignore",
    updatedAt: "ignore",
  },
};

const workspace: Resource<Workspace> = {
  id: ({ id }) => id,
  target: ({ name }) => name,
  organization: ({ organizationId }) => organizationId,
  fields: {
    id: "track",
    ownerId: "track",
    organizationId: "ignore",
    templateId: "track",
    name: "track",
    createdAt: "ignore",
    updatedAt: "ignore",
    deleted: "ignore",
    autostartSchedule: "track",
    nextStartAt: "track",
    ttlMs: duration("ttl"),
    lastUsedAt: "ignore",
    dormantAt: "track",
    deletingAt: "track",
    automaticUpdates: "track",
    favorite: "track",
    userAcl: "track",
    groupAcl: "track",
  },
};

const workspaceBuild: Resource<WorkspaceBuild> = {
  id: ({ id }) => id,
  target: () => "",
  organization: noOrganization,
  fields: {
    id: "ignore",
    workspaceId: "ignore",
    buildNumber: "ignore",
    templateVersionId: "track",
    templateVersionPresetId: "ignore",
    jobId: "ignore",
    initiatorId: "ignore",
    transition: "ignore",
    reason: "ignore",
    deadline: "ignore",
    maxDeadline: "ignore",
    dailyCost: "ignore",
    hasAiTask: "ignore",
    hasExternalAgent: "ignore",
    createdAt: "ignore",
    updatedAt: "ignore",
  },
};

const group: Resource<AuditedRows["group"]> = {
  id: ({ id }) => id,
  target: ({ name }) => name,
  icon: ({ avatarUrl }) => avatarUrl,
  organization: ({ organizationId }) => organizationId,
  fields: {
    id: "track",
    organizationId: "ignore",
    name: "track",
    displayName: "track",
    avatarUrl: "track",
    quotaAllowance: "track",
    source: "ignore",
    members: "track",
  },
};

const customRole: Resource<CustomRole> = {
  id: ({ id }) => id,
  target: ({ name }) => name,
  organization: ({ organizationId }) => organizationId,
  fields: {
    id: "ignore",
    organizationId: "ignore",
    name: "track",
    displayName: "track",
    sitePermissions: "track",
    orgPermissions: "track",
    userPermissions: "track",
    memberPermissions: "track",
    isSystem: "ignore",
    createdAt: "ignore",
    updatedAt: "ignore",
  },
};

export interface AuditedRows {
  readonly user: User;
  readonly api_key: ApiKey;
  readonly git_ssh_key: GitSshKey;
  readonly organization: Organization;
  readonly organization_member: OrganizationMember & { readonly username: string };
  readonly template: Template;
  readonly template_version: TemplateVersion;
  readonly workspace: Workspace;
  readonly workspace_build: WorkspaceBuild;
  readonly group: Group & { readonly members: readonly string[] };
  readonly custom_role: CustomRole;
}

export type AuditedType = keyof AuditedRows;

export const resources: { readonly [T in AuditedType]: Resource<AuditedRows[T]> } = {
  user,
  api_key: apiKey,
  git_ssh_key: gitSshKey,
  organization,
  organization_member: organizationMember,
  template,
  template_version: templateVersion,
  workspace,
  workspace_build: workspaceBuild,
  group,
  custom_role: customRole,
};
