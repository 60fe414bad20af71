/**
 * What a subject may do, compiled: permission lists become tables of votes, so that a decision is a few array reads.
 * `allows` is the one decision function of the server; `filter.ts` says the same in SQL.
 *
 * A vote is −1 (some matching permission denies), 1 (some allows) or 0. Lists of all roles are pooled per level:
 *
 *   site    always
 *   user    the object is the subject's own and belongs to no organization
 *   org     the subject is a member of the object's organization
 *   member  as org, and the object is the subject's own
 *
 *   roles say yes = site 1, or site not −1 and (user 1, or org 1, or org not −1 and member 1)
 *   decision = (roles say yes, or an access list grants) and the scope says yes and its allow list has the object
 */
import type { Permission, Role } from "./permission.ts";
import { actions, resourceTypes, wildcard } from "./policy.ts";
import type { Scope } from "./scopes.ts";

/** Ids → actions (or `*`). */
export type Acl = Readonly<Record<string, readonly string[]>>;

export interface ResourceObject {
  readonly type: string;
  /** Absent: an object that is asked about before it exists, or that has none. */
  readonly id?: string | undefined;
  readonly owner?: string | undefined;
  /** Absent: belongs to no organization. */
  readonly org?: string | undefined;
  /** "In any organization?" Must not name one. */
  readonly anyOrg?: boolean | undefined;
  readonly userAcl?: Acl | undefined;
  readonly groupAcl?: Acl | undefined;
}

/** One vote for each (type, action); the last row and column are names that no table knows. */
export type Votes = Int8Array;

const columns = actions.length + 1;
const rows = resourceTypes.length + 1;
const typeIndex = new Map<string, number>(resourceTypes.map((type, at) => [type, at]));
const actionIndex = new Map<string, number>(actions.map((action, at) => [action, at]));

export const cellOf = (type: string, action: string): number =>
  (typeIndex.get(type) ?? rows - 1) * columns + (actionIndex.get(action) ?? columns - 1);

export function votesOf(permissions: readonly Permission[]): Votes {
  const votes = new Int8Array(rows * columns);
  for (const { negate, type, action } of permissions) {
    const [firstRow, endRow] = range(type, typeIndex, rows);
    const [firstColumn, endColumn] = range(action, actionIndex, columns);
    for (let row = firstRow; row < endRow; row++) {
      for (let column = firstColumn; column < endColumn; column++) {
        const cell = row * columns + column;
        if (votes[cell] !== -1) votes[cell] = negate ? -1 : 1;
      }
    }
  }
  return votes;
}

/** A wildcard covers unknown names too; an unknown name in a permission covers nothing. */
function range(name: string, index: ReadonlyMap<string, number>, end: number): [number, number] {
  if (name === wildcard) return [0, end];
  const at = index.get(name);
  return at === undefined ? [0, 0] : [at, at + 1];
}

/** Pools two lists: a denial wins, then an allowance. */
function pool(a: Votes | undefined, b: Votes): Votes {
  if (a === undefined) return b;
  const out = new Int8Array(a);
  for (let cell = 0; cell < out.length; cell++) {
    const vote = b[cell] ?? 0;
    if (vote === -1 || (vote === 1 && out[cell] === 0)) out[cell] = vote;
  }
  return out;
}

export interface OrgVotes {
  readonly org: Votes;
  readonly member: Votes;
}

export interface Levels {
  readonly site: Votes;
  readonly user: Votes;
  /** One entry for each membership of the subject. */
  readonly byOrg: ReadonlyMap<string, OrgVotes>;
  /** The best votes over all memberships, each for itself. */
  readonly anyOrg: OrgVotes;
}

const noVotes: Votes = new Int8Array(rows * columns);

/** Compiled lists of one role; pure, so whoever holds roles for long keeps the result. */
export interface CompiledRole {
  readonly role: Role;
  readonly site: Votes;
  readonly user: Votes;
  readonly byOrg: ReadonlyMap<string, OrgVotes>;
}

export function compileRole(role: Role): CompiledRole {
  const byOrg = new Map<string, OrgVotes>();
  for (const [org, lists] of role.byOrg) {
    byOrg.set(org, { org: votesOf(lists.org), member: votesOf(lists.member) });
  }
  return { role, site: votesOf(role.site), user: votesOf(role.user), byOrg };
}

function levelsOf(roles: readonly Omit<CompiledRole, "role">[], memberships: Iterable<string>): Levels {
  let site: Votes | undefined;
  let user: Votes | undefined;
  const byOrg = new Map<string, OrgVotes>();
  for (const id of memberships) byOrg.set(id, { org: noVotes, member: noVotes });
  for (const role of roles) {
    site = pool(site, role.site);
    user = pool(user, role.user);
    for (const [id, lists] of role.byOrg) {
      const known = byOrg.get(id);
      if (known === undefined) continue;
      byOrg.set(id, { org: pool(known.org, lists.org), member: pool(known.member, lists.member) });
    }
  }
  const all = [...byOrg.values()];
  const best = { org: bestOf(all.map(({ org }) => org)), member: bestOf(all.map(({ member }) => member)) };
  return { site: site ?? noVotes, user: user ?? noVotes, byOrg, anyOrg: best };
}

function bestOf(lists: readonly Votes[]): Votes {
  const [first] = lists;
  if (first === undefined) return noVotes;
  return first.map((_, cell) => Math.max(...lists.map((votes) => votes[cell] ?? 0)));
}

export interface Access {
  readonly subjectId: string;
  readonly groups: readonly string[];
  readonly memberships: ReadonlySet<string>;
  readonly roles: Levels;
  readonly scope: Levels;
  /** The scope does not limit: everything on everything. */
  readonly unlimited: boolean;
  readonly allowAll: boolean;
  /** Type → ids; `undefined` stands for any id. Type `*` counts for every type. */
  readonly allow: ReadonlyMap<string, ReadonlySet<string> | undefined>;
}

export interface AccessFacts {
  readonly subjectId: string;
  readonly roles: readonly CompiledRole[];
  readonly groups: readonly string[];
  readonly scope: Scope;
}

export function compileAccess({ subjectId, roles, groups, scope }: AccessFacts): Access {
  if (subjectId === "") throw new Error("a subject needs an id");
  const memberships = new Set(roles.flatMap((role) => [...role.byOrg.keys()]));
  const allow = new Map<string, Set<string> | undefined>();
  for (const { type, id } of scope.allow) {
    if (id === wildcard) allow.set(type, undefined);
    else if (!allow.has(type)) allow.set(type, new Set([id]));
    else allow.get(type)?.add(id);
  }
  const compiledScope = compileRole({ name: "scope", displayName: "", ...scope });
  const allowAll = allow.has(wildcard) && allow.get(wildcard) === undefined;
  const [only] = scope.site;
  const everything =
    scope.site.length === 1 && only?.type === wildcard && only.action === wildcard && !only.negate;
  return {
    subjectId,
    groups,
    memberships,
    roles: levelsOf(roles, memberships),
    scope: levelsOf([compiledScope], memberships),
    unlimited: allowAll && everything,
    allowAll,
    allow,
  };
}

/** Throws when the object asks for any organization and names one: a mistake of the program. */
export function allows(access: Access, action: string, object: ResourceObject): boolean {
  if (object.anyOrg && object.org) throw new Error("an object cannot name an organization and ask for any");
  const cell = cellOf(object.type, action);
  const own = object.owner !== undefined && object.owner !== "" && object.owner === access.subjectId;
  if (!levelsAllow(access.roles, cell, object, own) && !aclAllows(access, action, object)) return false;
  if (access.unlimited) return true;
  return allowListHas(access, object) && levelsAllow(access.scope, cell, object, own);
}

function levelsAllow(levels: Levels, cell: number, object: ResourceObject, own: boolean): boolean {
  const site = levels.site[cell];
  if (site !== 0) return site === 1;
  if (!object.anyOrg && !object.org) return own && levels.user[cell] === 1;
  const votes = object.anyOrg ? levels.anyOrg : levels.byOrg.get(object.org ?? "");
  if (votes === undefined) return false;
  const org = votes.org[cell];
  if (org !== 0) return org === 1;
  return own && votes.member[cell] === 1;
}

function aclAllows(
  access: Access,
  action: string,
  { userAcl, groupAcl, org, anyOrg }: ResourceObject,
): boolean {
  const grants = (acl: Acl | undefined, id: string): boolean => {
    const list = acl !== undefined && Object.hasOwn(acl, id) ? acl[id] : undefined;
    return list !== undefined && (list.includes(action) || list.includes(wildcard));
  };
  if (grants(userAcl, access.subjectId)) return true;
  if (groupAcl === undefined) return false;
  const member = anyOrg ? access.memberships.size > 0 : org !== undefined && access.memberships.has(org);
  if (!member) return false;
  // The group that everybody of an organization is in has the organization's id and is never listed.
  return access.groups.some((id) => grants(groupAcl, id)) || (org !== undefined && grants(groupAcl, org));
}

function allowListHas(access: Access, { type, id }: ResourceObject): boolean {
  if (access.allowAll) return true;
  for (const key of [type, wildcard]) {
    if (!access.allow.has(key)) continue;
    const ids = access.allow.get(key);
    if (ids === undefined || (id !== undefined && ids.has(id))) return true;
  }
  return false;
}
