/** Where a list's rows keep what permissions look at, by the type that `-- @authorize_filter TYPE ALIAS` names. */
import type { FilterColumns } from "../../rbac/filter.ts";

type ColumnsOf = (alias: string) => FilterColumns;

const columns: Readonly<Record<string, ColumnsOf>> = {
  template: (t) => ({
    id: `${t}.id`,
    org: `${t}.organization_id`,
    userAcl: (id) => `(${t}.user_acl -> ${id})`,
    groupAcl: (id) => `(${t}.group_acl -> ${id})`,
  }),
  workspace: (t) => ({
    id: `${t}.id`,
    org: `${t}.organization_id`,
    owner: `${t}.owner_id`,
    userAcl: (id) => `(${t}.user_acl #> ARRAY[${id}, 'permissions'])`,
    groupAcl: (id) => `(${t}.group_acl #> ARRAY[${id}, 'permissions'])`,
  }),
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
  audit_log: (t) => ({
    id: `${t}.id`,
    org: `nullif(${t}.organization_id, '00000000-0000-0000-0000-000000000000')`,
    orgNullable: true,
  }),
  provisioner_daemon: (t) => ({ id: `${t}.id`, org: `${t}.organization_id` }),
  provisioner_jobs: (t) => ({ org: `${t}.organization_id` }),
  assign_org_role: (t) => ({ org: `${t}.organization_id`, orgNullable: true }),
  file: (t) => ({ id: `${t}.id`, owner: `${t}.created_by` }),
};

/** Types without an entry are decided without looking at rows. */
export function filterColumns(type: string, alias: string): FilterColumns {
  return columns[type]?.(alias) ?? {};
}
