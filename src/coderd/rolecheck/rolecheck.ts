/**
 * Who may give and take roles: the one policy for every writer of roles (spec authorization §5). Pure; the callers load
 * and write.
 */
import { ApiError, Forbidden, Invalid } from "../errors.ts";
import { orgRoleNames, siteRoleNames } from "../rbac/roles.ts";
import { parseRoleName } from "../rbac/roletable.ts";
import { can, type Subject } from "../rbac/subject.ts";

const memberships = ["organization-member"] as const;

/** Role of the actor → roles that he may give and take. */
const mayAssign: Readonly<Record<string, readonly string[]>> = {
  owner: [...siteRoleNames, ...orgRoleNames, ...memberships],
  system: [...siteRoleNames, ...orgRoleNames, ...memberships],
  "user-admin": ["member", ...memberships],
  "organization-admin": [...orgRoleNames, ...memberships],
  "organization-user-admin": [...memberships],
};

/** Whether some role of the actor lets him give and take this one. An organization's role counts only inside it. */
export function isAssignable(actor: Subject, role: string, organizationId: string | undefined): boolean {
  return actor.roles.some((held) => {
    const { name, organizationId: heldIn } = parseRoleName(held);
    if (heldIn !== undefined && heldIn !== organizationId) return false;
    return mayAssign[name]?.includes(role) ?? false;
  });
}

export interface RoleChange {
  /** Undefined: site roles. */
  readonly organizationId: string | undefined;
  readonly stored: readonly string[];
  readonly wanted: readonly string[];
  /** Custom roles of the organization. */
  readonly custom?: readonly string[];
}

/** Throws 400 for unknown and unassignable roles, 403 without the permission to give or take. */
export function checkRoleChange(actor: Subject, change: RoleChange): void {
  const { organizationId, stored, wanted, custom = [] } = change;
  const site = organizationId === undefined;
  const known: readonly string[] = site
    ? siteRoleNames.filter((name) => name !== "member")
    : [...orgRoleNames, ...custom];
  for (const name of wanted) {
    if (!known.includes(name)) throw new Invalid(`${JSON.stringify(name)} is not a supported role`);
  }
  const implied = site ? "member" : "organization-member";
  const added = [...wanted.filter((name) => !stored.includes(name)), implied];
  const removed = stored.filter((name) => !wanted.includes(name));
  const object = site ? { type: "assign_role" } : { type: "assign_org_role", org: organizationId };
  if (!can(actor, "assign", object)) throw new Forbidden("You may not give roles.");
  if (removed.length > 0 && !can(actor, "unassign", object)) throw new Forbidden("You may not take roles.");
  for (const name of [...added, ...removed]) {
    const assignable = isAssignable(actor, name, organizationId);
    if (
      !assignable &&
      !(custom.includes(name) && isAssignable(actor, orgRoleNames[0] ?? "", organizationId))
    ) {
      throw new ApiError(400, "RoleNotAssignable", `not authorized to assign role ${JSON.stringify(name)}`);
    }
  }
}

/** Nobody acts on the account of somebody whose roles he could not give: no user admin resets an owner's password. */
export function outranks(actor: Subject, roles: readonly string[]): boolean {
  return roles.every((role) => isAssignable(actor, role, undefined));
}
