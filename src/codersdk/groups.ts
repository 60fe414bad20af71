/** Groups of members. */
import { ReducedUser } from "./users.ts";
import * as w from "./wire.ts";

export const GroupSource = w.enums("user", "oidc");
export type GroupSource = w.Infer<typeof GroupSource>;

/** Of a group, before what a list adds. */
export const groupFields = {
  id: w.uuid(),
  name: w.string(),
  display_name: w.string(),
  organization_id: w.uuid(),
  members: w.list(ReducedUser),
  total_member_count: w.int(),
  avatar_url: w.string(),
  quota_allowance: w.int(),
  source: GroupSource,
  organization_name: w.string(),
  organization_display_name: w.string(),
};
