/** Rows of people and what belongs to them → wire. */
import type { ApiKey as WireApiKey } from "#codersdk/apikeys.ts";
import type {
  MemberWithUser,
  Organization as WireOrganization,
  OrganizationMember as WireMember,
} from "#codersdk/organizations.ts";
import type { SlimRole } from "#codersdk/roles.ts";
import type { GitSshKey as WireGitSshKey, User as WireUser } from "#codersdk/users.ts";
import { zeroTime } from "#codersdk/wire.ts";
import { builtInSiteRoles, isOrgRoleName, isSiteRoleName, builtInOrgRole } from "../../rbac/roles.ts";
import type { ApiKey, GitSshKey, Organization, OrganizationMember, User } from "../gen/models.gen.ts";

/** Year 1 stands for never. */
export const orZero = (time: Date | null): Date => time ?? zeroTime;

const siteRoles = builtInSiteRoles();

export function siteRole(name: string): SlimRole {
  return { name, display_name: isSiteRoleName(name) ? siteRoles[name].displayName : name };
}

export function organizationRole(name: string, organizationId: string): SlimRole {
  const display = isOrgRoleName(name) ? builtInOrgRole(name, organizationId).displayName : name;
  return { name, display_name: display, organization_id: organizationId };
}

export function toUser(user: User, organizationIds: readonly string[]): WireUser {
  return {
    id: user.id,
    username: user.username,
    name: user.name,
    avatar_url: user.avatarUrl,
    email: user.email,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    last_seen_at: orZero(user.lastSeenAt),
    status: user.status,
    login_type: user.loginType,
    is_service_account: user.isServiceAccount,
    organization_ids: organizationIds,
    roles: user.rbacRoles.map(siteRole),
    has_ai_seat: false,
  };
}

export function toOrganization(row: Organization): WireOrganization {
  return {
    id: row.id,
    name: row.name,
    display_name: row.displayName,
    icon: row.icon,
    description: row.description,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    is_default: row.isDefault,
  };
}

export function toMember(row: OrganizationMember): WireMember {
  return {
    user_id: row.userId,
    organization_id: row.organizationId,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    roles: row.roles.map((name) => organizationRole(name, row.organizationId)),
  };
}

export function toMemberWithUser(row: OrganizationMember, user: User): MemberWithUser {
  return {
    username: user.username,
    name: user.name,
    avatar_url: user.avatarUrl,
    email: user.email,
    status: user.status,
    login_type: user.loginType,
    last_seen_at: orZero(user.lastSeenAt),
    user_created_at: user.createdAt,
    user_updated_at: user.updatedAt,
    is_service_account: user.isServiceAccount,
    global_roles: user.rbacRoles.map(siteRole),
    has_ai_seat: false,
    ...toMember(row),
  };
}

/** Old clients know two scopes by other names. */
const oldScope: Readonly<Record<string, string>> = {
  "coder:all": "all",
  "coder:application_connect": "application_connect",
};

export function toApiKey(key: ApiKey): WireApiKey {
  const [first = "coder:all"] = key.scopes;
  return {
    id: key.id,
    user_id: key.userId,
    last_used: key.lastUsed ?? new Date(0),
    expires_at: key.expiresAt,
    created_at: key.createdAt,
    updated_at: key.updatedAt,
    login_type: key.loginType,
    scope: oldScope[first] ?? first,
    scopes: key.scopes,
    token_name: key.tokenName,
    lifetime_seconds: key.lifetimeSeconds,
    allow_list: key.allowList,
  };
}

export function toGitSshKey(key: GitSshKey): WireGitSshKey {
  return {
    user_id: key.userId,
    created_at: key.createdAt,
    updated_at: key.updatedAt,
    public_key: key.publicKey,
  };
}
