/** Roles as the wire shows them. */
import * as w from "./wire.ts";

export const SlimRole = w.struct("SlimRole", {
  name: w.string(),
  display_name: w.string(),
  organization_id: w.omit(w.string()),
});
export type SlimRole = w.Infer<typeof SlimRole>;

export const Permission = w.struct("Permission", {
  negate: w.bool(),
  resource_type: w.string(),
  action: w.string(),
});
export type Permission = w.Infer<typeof Permission>;

export const AssignableRole = w.struct("AssignableRoles", {
  name: w.string("username"),
  organization_id: w.omit(w.uuid()),
  display_name: w.string(),
  site_permissions: w.list(Permission),
  user_permissions: w.list(Permission),
  organization_permissions: w.list(Permission),
  organization_member_permissions: w.list(Permission),
  assignable: w.bool(),
  built_in: w.bool(),
});
export type AssignableRole = w.Infer<typeof AssignableRole>;
