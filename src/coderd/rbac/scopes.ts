/** What a token may do at most: named scopes, single pairs, and lists of ids. Facts of the 2.34 line. */
import {
  everythingExcept,
  grant,
  parsePermission,
  type OrgPermissions,
  type Permission,
} from "./permission.ts";
import { actionsOf, isResourceType, resourceTypes, wildcard } from "./policy.ts";

export interface AllowEntry {
  readonly type: string;
  readonly id: string;
}

export interface Scope {
  readonly site: readonly Permission[];
  readonly user: readonly Permission[];
  readonly byOrg: ReadonlyMap<string, OrgPermissions>;
  readonly allow: readonly AllowEntry[];
}

const anything: readonly AllowEntry[] = [{ type: wildcard, id: wildcard }];

const named: Readonly<Record<string, readonly Permission[]>> = {
  "coder:all": [{ negate: false, type: wildcard, action: wildcard }],
  "coder:application_connect": grant({ workspace: "application_connect" }),
  "coder:workspaces.create": grant({
    template: "read use",
    workspace: "create read update start stop",
    organization_member: "read",
  }),
  "coder:workspaces.operate": grant({
    template: "read",
    workspace: "read update start stop",
    organization_member: "read",
  }),
  "coder:workspaces.delete": grant({
    template: "read use",
    workspace: "read delete",
    organization_member: "read",
  }),
  "coder:workspaces.access": grant({
    template: "read",
    workspace: "read ssh application_connect",
    organization_member: "read",
  }),
  "coder:templates.build": grant({ template: "read", file: "create read", provisioner_jobs: "read" }),
  "coder:templates.author": grant({
    template: "read create update delete view_insights",
    file: "create read",
  }),
  "coder:apikeys.manage_self": grant({ api_key: "create read update delete" }),
  no_user_data: everythingExcept("user"),
};

/** Old spellings in requests. */
export const scopeAliases: Readonly<Record<string, string>> = {
  all: "coder:all",
  application_connect: "coder:application_connect",
};

const composites = Object.keys(named).filter((name) => name !== "no_user_data");
const requestablePairs: Readonly<Record<string, string>> = {
  workspace: "read create update delete ssh start stop application_connect *",
  template: "read create update delete use *",
  api_key: "read create update delete *",
  file: "read create *",
  task: "read create update delete *",
  user: "read read_personal update_personal",
  user_secret: "read create update delete *",
  user_skill: "read create update delete *",
  organization: "read update delete *",
};

/** Names that users may ask for, sorted. */
export const requestableScopes: readonly string[] = [
  ...composites,
  ...Object.entries(requestablePairs).flatMap(([type, list]) =>
    list.split(" ").map((action) => `${type}:${action}`),
  ),
].toSorted();

/** Every `<type>:<action>` and `<type>:*`, and `*:*`. */
export const lowLevelScopes: readonly string[] = [
  "*:*",
  ...resourceTypes.flatMap((type) => [...actionsOf(type), wildcard].map((action) => `${type}:${action}`)),
];

function sitePermissions(name: string): readonly Permission[] {
  if (Object.hasOwn(named, name)) return named[name] ?? [];
  const permission = /^[a-z0-9_*]+:[a-z_*]+$/.test(name) ? parsePermission(name) : undefined;
  const known =
    permission !== undefined &&
    (name === "*:*" ||
      (isResourceType(permission.type) &&
        (permission.action === wildcard ||
          actionsOf(permission.type).some((one) => one === permission.action))));
  if (!known) throw new Error(`no scope is named ${JSON.stringify(name)}`);
  return [permission];
}

/**
 * The scope of a token: the union of its names, narrowed to its allow list. Throws on an unknown name. An empty list
 * allows nothing.
 */
export function tokenScope(names: readonly string[], allow: readonly AllowEntry[] = anything): Scope {
  const permissions = new Map<string, Permission>();
  for (const name of names) {
    for (const one of sitePermissions(scopeAliases[name] ?? name)) {
      permissions.set(`${one.type}:${one.action}`, one);
    }
  }
  return {
    site: [...permissions.values()],
    user: [],
    byOrg: new Map(),
    allow: intersectAllow(anything, allow),
  };
}

export const scopeAll: Scope = tokenScope(["coder:all"]);

export interface AgentScopeFacts {
  readonly workspace: string;
  readonly owner: string;
  readonly template: string;
  readonly version: string;
  readonly task?: string | undefined;
  readonly blockUserData: boolean;
}

const nilUuid = "00000000-0000-0000-0000-000000000000";

/** What an agent may touch as its owner: its one workspace, its template, and its owner's personal data. */
export function agentScope(facts: AgentScopeFacts): Scope {
  const { workspace, owner, template, version, task } = facts;
  for (const id of [workspace, owner, template, version]) {
    if (id === "" || id === nilUuid) {
      throw new Error("an agent's scope needs workspace, owner, template and version");
    }
  }
  return tokenScope(
    [facts.blockUserData ? "no_user_data" : "coder:all"],
    [
      { type: "workspace", id: workspace },
      { type: "template", id: template },
      { type: "template", id: version },
      { type: "user", id: owner },
      ...(task ? [{ type: "task", id: task }] : []),
    ],
  );
}

/** `type:id`; type `*` or a known one, id `*` or a UUID. Throws naming what was received. */
export function parseAllowEntry(text: string): AllowEntry {
  const [type = "", id = "", ...more] = text.split(":").map((part) => part.trim().toLowerCase());
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  if (
    more.length > 0 ||
    (type !== wildcard && !isResourceType(type)) ||
    (id !== wildcard && !uuid.test(id))
  ) {
    throw new Error(`an allow list entry is written type:id: received ${JSON.stringify(text)}`);
  }
  return { type, id };
}

/** Lower case, without what a wildcard covers, sorted. Twice is once. */
export function normalizeAllow(entries: readonly AllowEntry[]): AllowEntry[] {
  const keys = new Set(entries.map(({ type, id }) => `${type}:${id}`.toLowerCase()));
  if (keys.has("*:*")) return [...anything];
  return [...keys]
    .filter((key) => key.endsWith(":*") || !keys.has(`${key.split(":")[0]}:*`))
    .map((key) => ({ type: key.slice(0, key.indexOf(":")), id: key.slice(key.indexOf(":") + 1) }))
    .toSorted((a, b) => (a.type === b.type ? compare(a.id, b.id) : compare(a.type, b.type)));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Pairwise: equal or wildcard types and ids, the narrower side wins. */
export function intersectAllow(a: readonly AllowEntry[], b: readonly AllowEntry[]): AllowEntry[] {
  const meet = (x: string, y: string): string | undefined =>
    x === y || y === wildcard ? x : x === wildcard ? y : undefined;
  const out: AllowEntry[] = [];
  for (const one of a) {
    for (const other of b) {
      const type = meet(one.type, other.type);
      const id = meet(one.id, other.id);
      if (type !== undefined && id !== undefined) out.push({ type, id });
    }
  }
  return normalizeAllow(out);
}
