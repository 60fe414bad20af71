/**
 * From role names to subjects. One table a server: it holds the built-in roles for the deployment's switches, and keeps
 * compiled roles and whole accesses by their content, so that equal callers share them. Nothing is keyed by user, so
 * nothing goes stale: other roles are another key.
 */
import { type Access, compileAccess, compileRole, type CompiledRole } from "./access.ts";
import { type Permission, type Role, parsePermission } from "./permission.ts";
import {
  builtInOrgRole,
  builtInSiteRoles,
  isOrgRoleName,
  isSiteRoleName,
  isSystemRoleName,
  type RoleOptions,
  type SharingMode,
  systemRole,
} from "./roles.ts";
import { type Scope, scopeAll } from "./scopes.ts";
import type { Subject } from "./subject.ts";

/** A role kept in the database: of an organization, or (only by hand) of the site. */
export interface StoredRole {
  readonly name: string;
  readonly displayName: string;
  readonly organizationId: string | undefined;
  readonly site: readonly Permission[];
  readonly user: readonly Permission[];
  readonly org: readonly Permission[];
  readonly member: readonly Permission[];
}

export interface SubjectFacts {
  readonly id: string;
  readonly type: string;
  readonly friendlyName: string;
  /** `name` or `name:<organization>`; must hold the implied roles too. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly scope: Scope;
  /** Stored roles that `roles` may name. */
  readonly stored?: readonly StoredRole[];
  /** How each organization shares workspaces; `everyone` where it is not named. */
  readonly sharing?: Readonly<Record<string, SharingMode>>;
}

export interface RoleTable {
  readonly options: RoleOptions;
  subject(facts: SubjectFacts): Subject;
  /** The role of that name, or undefined: names from a newer server and of deleted roles count as nothing. */
  find(name: string, facts: Pick<SubjectFacts, "stored" | "sharing">): Role | undefined;
}

export interface RoleName {
  readonly name: string;
  readonly organizationId: string | undefined;
}

const nilUuid = "00000000-0000-0000-0000-000000000000";

/** Throws on more than one colon, an empty name, or an organization that is no UUID. */
export function parseRoleName(text: string): RoleName {
  const [name = "", org, ...more] = text.split(":");
  if (name === "" || more.length > 0 || (org !== undefined && !/^[0-9a-f-]{36}$/.test(org))) {
    throw new Error(`a role is written name or name:<organization>: received ${JSON.stringify(text)}`);
  }
  return { name, organizationId: org === nilUuid ? undefined : org };
}

/** Most compiled roles and accesses kept; the oldest go first. */
const keep = 2000;

export function newRoleTable(options: RoleOptions = {}): RoleTable {
  const site = builtInSiteRoles(options);
  const compiled = new Map<string, CompiledRole>();
  const accesses = new Map<string, Access>();

  function find(
    text: string,
    { stored = [], sharing = {} }: Pick<SubjectFacts, "stored" | "sharing">,
  ): Role | undefined {
    const { name, organizationId } = parseRoleName(text);
    if (organizationId === undefined) {
      if (isSiteRoleName(name)) return site[name];
    } else {
      if (isOrgRoleName(name)) return builtInOrgRole(name, organizationId);
      if (isSystemRoleName(name)) {
        return systemRole(name, organizationId, sharing[organizationId] ?? "everyone");
      }
    }
    const found = stored.find((one) => one.name === name && one.organizationId === organizationId);
    return found && roleOf(found);
  }

  function compile(text: string, facts: SubjectFacts): CompiledRole | undefined {
    const { name, organizationId } = parseRoleName(text);
    const custom = facts.stored?.find((one) => one.name === name && one.organizationId === organizationId);
    const mode = isSystemRoleName(name) ? (facts.sharing?.[organizationId ?? ""] ?? "everyone") : "";
    const key = `${text} ${mode} ${custom ? JSON.stringify(custom) : ""}`;
    const known = compiled.get(key);
    if (known) return known;
    const role = find(text, facts);
    return role && remember(compiled, key, compileRole(role));
  }

  return {
    options,
    find,
    subject(facts) {
      const { id, type, friendlyName, roles, groups, scopes, scope } = facts;
      const key = JSON.stringify([id, roles, groups, facts.stored, facts.sharing]) + scopeKey(scope);
      let access = accesses.get(key);
      if (access === undefined) {
        const list = [...new Set(roles)].toSorted().flatMap((name) => compile(name, facts) ?? []);
        access = remember(accesses, key, compileAccess({ subjectId: id, roles: list, groups, scope }));
      }
      return { id, type, friendlyName, roles, groups, scopes, access };
    },
  };
}

/** By content: tokens make theirs anew for each request. Nearly every request has the one without limits. */
function scopeKey(scope: Scope): string {
  if (scope === scopeAll) return "";
  return JSON.stringify(scope, (_, value: unknown) => (value instanceof Map ? [...value] : value));
}

function remember<V>(cache: Map<string, V>, key: string, value: V): V {
  if (cache.size >= keep) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  cache.set(key, value);
  return value;
}

function roleOf({ name, displayName, organizationId, site, user, org, member }: StoredRole): Role {
  const byOrg = organizationId === undefined ? [] : ([[organizationId, { org, member }]] as const);
  return { name, displayName, site, user, byOrg: new Map(byOrg) };
}

/** From `TYPE:ACTION` texts. */
export const permissions = (texts: readonly string[]): Permission[] => texts.map(parsePermission);
