/** From what the database says of a user to the subject that acts for him: implied roles, custom roles, scope. */
import type { User } from "../database/gen/models.gen.ts";
import type { CustomRoleFacts, MembershipFacts, RolePermission } from "../database/types.ts";
import type { Permission } from "../rbac/permission.ts";
import type { RoleTable, StoredRole } from "../rbac/roletable.ts";
import { parseAllowEntry, type Scope, scopeAliases, tokenScope } from "../rbac/scopes.ts";
import type { Subject } from "../rbac/subject.ts";

export interface UserFactsRow {
  readonly u: User;
  readonly memberships: readonly MembershipFacts[];
  readonly groups: readonly string[];
  readonly customRoles: readonly CustomRoleFacts[];
}

/** Role names of a user: those that he was given, and those that he has by being a user and a member. */
export function roleNames({ u, memberships }: Pick<UserFactsRow, "u" | "memberships">): string[] {
  const implied = u.isServiceAccount ? "organization-service-account" : "organization-member";
  return [
    ...u.rbacRoles,
    "member",
    ...memberships.flatMap(({ organization_id: org, roles }) =>
      [...roles, implied].map((role) => `${role}:${org}`),
    ),
  ];
}

export function userSubject(
  table: RoleTable,
  row: UserFactsRow,
  credential: { readonly scopes: readonly string[]; readonly scope: Scope; readonly type?: string },
): Subject {
  return table.subject({
    id: row.u.id,
    type: credential.type ?? "user",
    friendlyName: row.u.username,
    roles: roleNames(row),
    groups: row.groups,
    scopes: credential.scopes,
    scope: credential.scope,
    stored: row.customRoles.map(storedRole),
  });
}

const permissions = (list: readonly RolePermission[]): Permission[] =>
  list.map(({ negate, resource_type: type, action }) => ({ negate, type, action }));

function storedRole(role: CustomRoleFacts): StoredRole {
  return {
    name: role.name,
    displayName: "",
    organizationId: role.organization_id ?? undefined,
    site: permissions(role.site_permissions),
    user: permissions(role.user_permissions),
    org: permissions(role.org_permissions),
    member: permissions(role.member_permissions),
  };
}

/** The scope of a key, kept by its names: most keys of a server have the same. */
export class KeyScopes {
  readonly #kept = new Map<string, Scope>();

  get(names: readonly string[], allowList: readonly string[]): Scope {
    const key = `${names.join(" ")}|${allowList.join(" ")}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const scope = tokenScope(
      names.map((name) => scopeAliases[name] ?? name),
      allowList.map(parseAllowEntry),
    );
    if (this.#kept.size > 1000) this.#kept.clear();
    this.#kept.set(key, scope);
    return scope;
  }
}
