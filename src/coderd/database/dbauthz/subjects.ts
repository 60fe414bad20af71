/**
 * From what `getAuthentication` and `getUserAuthorization` read to the subject that acts. Roles and accesses are
 * compiled once for each content (rbac/roletable.ts), so a changed role, group or membership counts in the next request.
 */
import type { Permission } from "../../rbac/permission.ts";
import type { RoleTable, StoredRole } from "../../rbac/roletable.ts";
import type { SharingMode } from "../../rbac/roles.ts";
import { type AllowEntry, parseAllowEntry, type Scope, scopeAll, tokenScope } from "../../rbac/scopes.ts";
import type { Subject } from "../../rbac/subject.ts";
import type { User } from "../gen/models.gen.ts";
import type { CustomRoleFacts, MembershipFacts, RolePermission } from "../types.ts";

/** How the organization shares workspaces; `everyone` where it is not told. */
type Membership = MembershipFacts & { readonly sharing?: SharingMode };

export interface UserFacts {
  readonly user: Pick<User, "id" | "username" | "rbacRoles" | "isServiceAccount">;
  readonly memberships: readonly Membership[];
  /** Explicit ones and, tolerated, the organizations' Everyone groups. */
  readonly groups: readonly string[];
  readonly customRoles: readonly CustomRoleFacts[];
}

/** What limits the subject: nothing, the names and allow list of a token, or a made scope (agents). */
export interface Limits {
  readonly scopes: readonly string[];
  readonly scope: Scope;
}

export const unlimited: Limits = { scopes: ["coder:all"], scope: scopeAll };

/** Throws on a scope or allow list entry that does not exist: such a key is worth nothing. */
export function limitsOfKey(key: {
  readonly scopes: readonly string[];
  readonly allowList: readonly string[];
}): Limits {
  const allow: AllowEntry[] = key.allowList.map(parseAllowEntry);
  return { scopes: key.scopes, scope: tokenScope(key.scopes, allow) };
}

export function subjectOf(table: RoleTable, facts: UserFacts, limits: Limits = unlimited): Subject {
  const { user, memberships, groups, customRoles } = facts;
  const implied = user.isServiceAccount ? "organization-service-account" : "organization-member";
  const everyone = new Set(memberships.map(({ organization_id }) => organization_id));
  return table.subject({
    id: user.id,
    type: "user",
    friendlyName: user.username,
    roles: [
      ...user.rbacRoles,
      "member",
      ...memberships.flatMap(({ organization_id, roles }) =>
        [...roles, implied].map((name) => `${name}:${organization_id}`),
      ),
    ],
    groups: groups.filter((id) => !everyone.has(id)),
    ...limits,
    stored: customRoles.map(storedRole),
    sharing: Object.fromEntries(
      memberships.flatMap(({ organization_id, sharing }) => (sharing ? [[organization_id, sharing]] : [])),
    ),
  });
}

function storedRole(role: CustomRoleFacts): StoredRole {
  return {
    name: role.name,
    displayName: "",
    organizationId: role.organization_id ?? undefined,
    site: role.site_permissions.map(permission),
    user: role.user_permissions.map(permission),
    org: role.org_permissions.map(permission),
    member: role.member_permissions.map(permission),
  };
}

const permission = ({ negate, resource_type: type, action }: RolePermission): Permission => ({
  negate,
  type,
  action,
});
