/** Where a list's rows keep what permissions look at, by the type that `-- @authorize_filter TYPE ALIAS` names. */
import type { FilterColumns } from "../../rbac/filter.ts";

type ColumnsOf = (alias: string) => FilterColumns;

const acl =
  (column: string, path: (id: string) => string) =>
  (id: string): string =>
    `(${column} ${path(id)})`;
const actionsAt = (id: string): string => `-> ${id}`;
/** Workspaces keep the actions one level deeper. */
const permissionsAt = (id: string): string => `#> ARRAY[${id}, 'permissions']`;

const ofWorkspace: ColumnsOf = (t) => ({
  id: `${t}.id`,
  org: `${t}.organization_id`,
  owner: `${t}.owner_id`,
  userAcl: acl(`${t}.user_acl`, permissionsAt),
  groupAcl: acl(`${t}.group_acl`, permissionsAt),
});

const ofLog: ColumnsOf = (t) => ({
  id: `${t}.id`,
  org: `nullif(${t}.organization_id, '00000000-0000-0000-0000-000000000000')`,
  orgNullable: true,
});

const columns: Readonly<Record<string, ColumnsOf>> = {
  template: (t) => ({
    id: `${t}.id`,
    org: `${t}.organization_id`,
    userAcl: acl(`${t}.user_acl`, actionsAt),
    groupAcl: acl(`${t}.group_acl`, actionsAt),
  }),
  workspace: ofWorkspace,
  // Rows of tasks are read together with the access lists of their workspace.
  task: ofWorkspace,
  workspace_dormant: (t) => ({ id: `${t}.id`, org: `${t}.organization_id`, owner: `${t}.owner_id` }),
  user: (t) => ({ id: `${t}.id`, owner: `${t}.id` }),
  organization: (t) => ({ id: `${t}.id`, org: `${t}.id` }),
  organization_member: (t) => ({ id: `${t}.user_id`, org: `${t}.organization_id`, owner: `${t}.user_id` }),
  group: (t) => ({
    id: `${t}.id`,
    org: `${t}.organization_id`,
    groupAcl: (id) => `(CASE WHEN ${t}.id::text = ${id} THEN '["read"]'::jsonb END)`,
  }),
  group_member: (t) => ({ id: `${t}.user_id`, org: `${t}.organization_id`, owner: `${t}.user_id` }),
  // Ids of keys are no uuids, so no allow list names one.
  api_key: (t) => ({ owner: `${t}.user_id` }),
  audit_log: ofLog,
  connection_log: ofLog,
  provisioner_daemon: (t) => ({ id: `${t}.id`, org: `${t}.organization_id` }),
  provisioner_jobs: (t) => ({ org: `${t}.organization_id` }),
  assign_org_role: (t) => ({ org: `${t}.organization_id`, orgNullable: true }),
  file: (t) => ({ id: `${t}.id`, owner: `${t}.created_by` }),
};

/** Types without an entry are decided without looking at rows. */
export function filterColumns(type: string, alias: string): FilterColumns {
  return columns[type]?.(alias) ?? {};
}
