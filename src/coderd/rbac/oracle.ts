/** The decision read straight off its rules: slow, obvious, the oracle of the tests. Nothing else uses it. */
import type { ResourceObject } from "./access.ts";
import type { Permission, Role } from "./permission.ts";
import type { Scope } from "./scopes.ts";

interface Facts {
  readonly id: string;
  readonly roles: readonly Role[];
  readonly groups: readonly string[];
  readonly scope: Scope;
}

function vote(permissions: readonly Permission[], type: string, action: string): number {
  const matching = permissions.filter(
    (one) => (one.type === type || one.type === "*") && (one.action === action || one.action === "*"),
  );
  return matching.some((one) => one.negate) ? -1 : matching.length > 0 ? 1 : 0;
}

export function referenceAllows(facts: Facts, action: string, object: ResourceObject): boolean {
  const memberships = [...new Set(facts.roles.flatMap((role) => [...role.byOrg.keys()]))];
  const own = Boolean(object.owner) && object.owner === facts.id;
  const { type, org = "", anyOrg = false } = object;

  function orgVote(roles: readonly Pick<Role, "byOrg">[], level: "org" | "member"): number {
    const at = (id: string): number =>
      vote(
        roles.flatMap((role) => role.byOrg.get(id)?.[level] ?? []),
        type,
        action,
      );
    if (anyOrg) return memberships.length === 0 ? 0 : Math.max(...memberships.map(at));
    return memberships.includes(org) ? at(org) : 0;
  }
  function levels(roles: readonly Pick<Role, "site" | "user" | "byOrg">[]): boolean {
    const site = vote(
      roles.flatMap((role) => role.site),
      type,
      action,
    );
    const user =
      own && org === "" && !anyOrg
        ? vote(
            roles.flatMap((role) => role.user),
            type,
            action,
          )
        : 0;
    const inOrg = orgVote(roles, "org");
    const member = own ? orgVote(roles, "member") : 0;
    return site === 1 || (site !== -1 && (user === 1 || inOrg === 1 || (inOrg !== -1 && member === 1)));
  }
  const grants = (list: readonly string[] | undefined): boolean =>
    list?.some((one) => one === action || one === "*") ?? false;
  const isMember = anyOrg ? memberships.length > 0 : memberships.includes(org);
  const acl =
    grants(object.userAcl?.[facts.id]) ||
    (isMember && [...facts.groups, org].some((group) => group !== "" && grants(object.groupAcl?.[group])));
  const listed = facts.scope.allow.some(
    (entry) => (entry.type === "*" || entry.type === type) && (entry.id === "*" || entry.id === object.id),
  );
  return (levels(facts.roles) || acl) && listed && levels([facts.scope]);
}
