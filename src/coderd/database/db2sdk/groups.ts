/** Rows of groups → wire. */
import type { ReducedUser } from "#codersdk/users.ts";
import type { Group, User } from "../gen/models.gen.ts";
import { orZero } from "./users.ts";

export function toReducedUser(user: User): ReducedUser {
  return {
    id: user.id,
    username: user.username,
    name: user.name,
    avatar_url: user.avatarUrl,
    email: user.email,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    last_seen_at: orZero(user.lastSeenAt),
    status: user.status,
    login_type: user.loginType,
    is_service_account: user.isServiceAccount,
  };
}

export interface GroupRow {
  readonly g: Group;
  readonly organizationName: string;
  readonly organizationDisplayName: string;
}

export function toGroup({ g, ...organization }: GroupRow, members: readonly User[]) {
  return {
    id: g.id,
    name: g.name,
    display_name: g.displayName,
    organization_id: g.organizationId,
    members: members.map(toReducedUser),
    total_member_count: members.length,
    avatar_url: g.avatarUrl,
    quota_allowance: g.quotaAllowance,
    source: g.source,
    organization_name: organization.organizationName,
    organization_display_name: organization.organizationDisplayName,
  };
}
