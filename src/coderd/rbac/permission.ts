/** Permissions and roles: what a holder may do, at which level. Wire shapes are in codersdk/roles.ts. */
import { actionsOf, isResourceType, resourceTypes, wildcard } from "./policy.ts";

export interface Permission {
  readonly negate: boolean;
  /** A resource type or `*`. */
  readonly type: string;
  /** An action or `*`. */
  readonly action: string;
}

/** Permissions inside one organization: for all its objects, and for the holder's own there. */
export interface OrgPermissions {
  readonly org: readonly Permission[];
  readonly member: readonly Permission[];
}

export interface Role {
  /** Without organization. */
  readonly name: string;
  readonly displayName: string;
  readonly site: readonly Permission[];
  /** On the holder's own objects that belong to no organization. */
  readonly user: readonly Permission[];
  /** Organization id → permissions there. Its keys are memberships, also with empty lists. */
  readonly byOrg: ReadonlyMap<string, OrgPermissions>;
}

/** `TYPE:ACTION`, a leading `!` negates. Throws on another form. */
export function parsePermission(text: string): Permission {
  const match = /^(!?)([a-z0-9_]+|\*):([a-z_]+|\*)$/.exec(text);
  if (!match) throw new Error(`a permission is written TYPE:ACTION: received ${JSON.stringify(text)}`);
  return { negate: match[1] === "!", type: match[2] ?? "", action: match[3] ?? "" };
}

/** `workspace: "read update"`, a leading `!` negates each; `all` stands for every action of the type. */
export function grant(table: Readonly<Record<string, string>>): Permission[] {
  return Object.entries(table).flatMap(([type, list]) =>
    list.split(" ").flatMap((word) => {
      const negate = word.startsWith("!");
      const action = negate ? word.slice(1) : word;
      if (action !== "all") return [{ negate, type, action }];
      if (!isResourceType(type)) throw new Error(`no resource type is named ${type}`);
      return actionsOf(type).map((one) => ({ negate, type, action: one }));
    }),
  );
}

/** Everything on every type but these. */
export function everythingExcept(...types: readonly string[]): Permission[] {
  return resourceTypes
    .filter((type) => !types.includes(type))
    .map((type) => ({ negate: false, type, action: wildcard }));
}

export const siteRole = (
  name: string,
  displayName: string,
  site: readonly Permission[],
  user: readonly Permission[] = [],
): Role => ({ name, displayName, site, user, byOrg: new Map() });
