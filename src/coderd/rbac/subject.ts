/**
 * Who acts. A subject is made by `RoleTable.subject` from role names, groups and a scope; decisions read its compiled
 * `access`. Names stay for logs and for the few rules that go by name.
 */
import { type Access, allows, type ResourceObject } from "./access.ts";
import { compileFilter, type FilterColumns, type SqlFilter } from "./filter.ts";

export interface Subject {
  /** Zero uuid for actors that are no user. */
  readonly id: string;
  readonly type: string;
  readonly friendlyName: string;
  /** Site roles (`owner`, `member` …) and organization roles (`organization-admin:<uuid>`). */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** What the credential allows, by scope name. */
  readonly scopes: readonly string[];
  readonly access: Access;
}

/** Whether the subject may do this to that object. */
export function can(subject: Subject, action: string, object: ResourceObject): boolean {
  return allows(subject.access, action, object);
}

/** The same for the rows of a list. */
export function filterFor(
  subject: Subject,
  action: string,
  type: string,
  columns: FilterColumns,
): boolean | SqlFilter {
  return compileFilter(subject.access, action, type, columns);
}
