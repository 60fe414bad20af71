/** Roles as lists show them: those of one user, and all with what the caller may give. */
import type { AssignableRole } from "#codersdk/roles.ts";
import type { UserRoles } from "#codersdk/users.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { toAssignable } from "../database/db2sdk/roles.ts";
import { user as userKind } from "../database/dbauthz/kinds.ts";
import type { User } from "../database/gen/models.gen.ts";
import { Forbidden, NotFound } from "../errors.ts";
import { actors } from "../rbac/actors.ts";
import { builtInSiteRoles } from "../rbac/roles.ts";
import { can, type Subject } from "../rbac/subject.ts";
import { isAssignable } from "../rolecheck/rolecheck.ts";

export async function rolesOfUser(store: AuthzStore, ctx: Ctx, user: User): Promise<UserRoles> {
  if (!can(ctx.actor, "read_personal", userKind.of(user))) throw new NotFound();
  const asSystem = ctx.as(actors.system, "lists all memberships of a user whose personal data may be read");
  const row = await store.getUserAuthorization(asSystem, { id: user.id });
  return {
    roles: user.rbacRoles,
    organization_roles: Object.fromEntries(
      (row?.memberships ?? []).map(({ organization_id: id, roles }) => [id, roles]),
    ),
  };
}

/** Site roles by name, without the one that everybody has. */
export function siteRolesFor(actor: Subject): AssignableRole[] {
  if (!can(actor, "read", { type: "assign_role" })) throw new Forbidden();
  return Object.values(builtInSiteRoles())
    .filter(({ name }) => name !== "member")
    .map((role) => toAssignable(role, undefined, isAssignable(actor, role.name, undefined)))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
