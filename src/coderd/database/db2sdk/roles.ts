/** Built-in roles → wire. */
import type { AssignableRole, Permission as WirePermission } from "#codersdk/roles.ts";
import type { Permission, Role } from "../../rbac/permission.ts";

export function toAssignable(
  role: Role,
  organizationId: string | undefined,
  assignable: boolean,
): AssignableRole {
  const lists = organizationId === undefined ? undefined : role.byOrg.get(organizationId);
  return {
    name: role.name,
    organization_id: organizationId,
    display_name: role.displayName,
    site_permissions: role.site.map(toPermission),
    user_permissions: role.user.map(toPermission),
    organization_permissions: (lists?.org ?? []).map(toPermission),
    organization_member_permissions: (lists?.member ?? []).map(toPermission),
    assignable,
    built_in: true,
  };
}

const toPermission = ({ negate, type, action }: Permission): WirePermission => ({
  negate,
  resource_type: type,
  action,
});
