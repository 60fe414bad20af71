/** What JSON columns hold. Written by our own code only, so rows are trusted; scripts/gen-sql/json-types.ts says which column has which. */

export type StringMap = Readonly<Record<string, string>>;
export type NumberMap = Readonly<Record<string, number>>;

/** User or group id → allowed actions. */
export type TemplateAcl = Readonly<Record<string, readonly string[]>>;

export interface WorkspaceAclEntry {
  readonly permissions: readonly string[];
}
export type WorkspaceAcl = Readonly<Record<string, WorkspaceAclEntry>>;

export interface RolePermission {
  readonly negate: boolean;
  readonly resource_type: string;
  readonly action: string;
}

export interface ParameterOption {
  readonly name: string;
  readonly description: string;
  readonly value: string;
  readonly icon: string;
}

/** One membership of the caller, as `getAuthentication` aggregates it. */
export interface MembershipFacts {
  readonly organization_id: string;
  readonly roles: readonly string[];
  /** Whose workspaces may be shared there: what a member may do depends on it. */
  readonly sharing: "none" | "everyone" | "service_accounts";
}

/** A custom role that the caller holds; a null organization means site-wide. */
export interface CustomRoleFacts {
  readonly organization_id: string | null;
  readonly name: string;
  readonly site_permissions: readonly RolePermission[];
  readonly org_permissions: readonly RolePermission[];
  readonly user_permissions: readonly RolePermission[];
  readonly member_permissions: readonly RolePermission[];
}
