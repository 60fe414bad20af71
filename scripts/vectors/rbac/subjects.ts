/** Subjects of the recording, from names: roles, custom roles, scopes, agents, system actors. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileAccess, compileRole } from "#coderd/rbac/access.ts";
import type { Role } from "#coderd/rbac/permission.ts";
import { newRoleTable, permissions, type RoleTable, type StoredRole } from "#coderd/rbac/roletable.ts";
import type { RoleOptions, SharingMode } from "#coderd/rbac/roles.ts";
import { type AllowEntry, agentScope, type Scope, scopeAll, tokenScope } from "#coderd/rbac/scopes.ts";
import type { Subject } from "#coderd/rbac/subject.ts";

export type Orgs = Readonly<Record<string, SharingMode>>;

interface CustomRole {
  readonly name: string;
  readonly org?: string;
  readonly site?: readonly string[];
  readonly user?: readonly string[];
  readonly org_perms?: readonly string[];
  readonly member_perms?: readonly string[];
}

export interface SubjectLine {
  readonly s: number;
  readonly id: string;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  readonly custom?: readonly CustomRole[];
  readonly options?: {
    readonly no_owner_workspace_exec?: boolean;
    readonly no_workspace_sharing?: boolean;
    readonly no_chat_sharing?: boolean;
  };
  readonly scopes?: readonly string[];
  readonly allow_list?: readonly string[];
  readonly agent_scope?: {
    readonly workspace: string;
    readonly owner: string;
    readonly template: string;
    readonly version: string;
    readonly task?: string;
    readonly block_user_data?: boolean;
  };
  readonly raw_scope?: {
    readonly site?: readonly string[];
    readonly user?: readonly string[];
    readonly by_org?: Readonly<
      Record<string, { readonly org: readonly string[]; readonly member: readonly string[] }>
    >;
  };
  readonly actor?: string;
  readonly org?: string;
}

interface ActorRole {
  readonly name: string;
  readonly display_name: string;
  readonly site?: readonly string[];
  readonly user?: readonly string[];
  readonly org?: readonly string[];
  readonly member?: readonly string[];
}

interface RoleFacts {
  readonly system_actors: Readonly<
    Record<string, { readonly roles: readonly ActorRole[]; readonly type: string }>
  >;
}

/** The recorded system actors stand in a file beside the vectors. */
export async function subjectMaker(file: string, orgs: Orgs): Promise<(line: SubjectLine) => Subject> {
  const facts = JSON.parse(readFileSync(join(dirname(file), "rbac-roles.json"), "utf8")) as RoleFacts;
  const tables = new Map<string, RoleTable>();
  const tableFor = (options: RoleOptions): RoleTable => {
    const key = JSON.stringify(options);
    const table = tables.get(key) ?? newRoleTable(options);
    tables.set(key, table);
    return table;
  };
  return (line) =>
    line.actor === undefined
      ? tableFor({
          noOwnerWorkspaceExec: line.options?.no_owner_workspace_exec ?? false,
          noWorkspaceSharing: line.options?.no_workspace_sharing ?? false,
          noChatSharing: line.options?.no_chat_sharing ?? false,
        }).subject({
          id: line.id,
          type: "user",
          friendlyName: String(line.s),
          roles: line.roles ?? [],
          groups: line.groups ?? [],
          scopes: line.scopes ?? ["coder:all"],
          scope: scopeOf(line),
          stored: (line.custom ?? []).map(storedRole),
          sharing: orgs,
        })
      : actorSubject(line, facts.system_actors[line.actor]?.roles ?? []);
}

const storedRole = (role: CustomRole): StoredRole => ({
  name: role.name,
  displayName: "",
  organizationId: role.org,
  site: permissions(role.site ?? []),
  user: permissions(role.user ?? []),
  org: permissions(role.org_perms ?? []),
  member: permissions(role.member_perms ?? []),
});

function allowEntry(text: string): AllowEntry {
  const at = text.indexOf(":");
  return { type: text.slice(0, at), id: text.slice(at + 1) };
}

function scopeOf(line: SubjectLine): Scope {
  const { agent_scope: agent, raw_scope: raw } = line;
  if (agent) return agentScope({ ...agent, blockUserData: agent.block_user_data ?? false });
  if (raw) {
    const byOrg = Object.entries(raw.by_org ?? {}).map(
      ([id, lists]) => [id, { org: permissions(lists.org), member: permissions(lists.member) }] as const,
    );
    return {
      site: permissions(raw.site ?? []),
      user: permissions(raw.user ?? []),
      byOrg: new Map(byOrg),
      allow: scopeAll.allow,
    };
  }
  return tokenScope(line.scopes ?? ["coder:all"], line.allow_list?.map(allowEntry));
}

function actorSubject(line: SubjectLine, roles: readonly ActorRole[]): Subject {
  const compiled = roles.map((role) => {
    const inOrg = (role.org ?? role.member) ? line.org : undefined;
    const lists = { org: permissions(role.org ?? []), member: permissions(role.member ?? []) };
    const full: Role = {
      name: role.name,
      displayName: role.display_name,
      site: permissions(role.site ?? []),
      user: permissions(role.user ?? []),
      byOrg: new Map(inOrg === undefined ? [] : [[inOrg, lists]]),
    };
    return compileRole(full);
  });
  const access = compileAccess({ subjectId: line.id, roles: compiled, groups: [], scope: scopeAll });
  return {
    id: line.id,
    type: "system",
    friendlyName: line.actor ?? "",
    roles: [],
    groups: [],
    scopes: [],
    access,
  };
}
