/** The list of users and its search. */
import type { UsersPage } from "#codersdk/users.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { toUser } from "../database/db2sdk/users.ts";
import { parseSearch } from "../httpapi/search-query.ts";

export interface UsersQuery {
  readonly q: string;
  readonly after_id: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

export async function listUsers(store: AuthzStore, ctx: Ctx, query: UsersQuery): Promise<UsersPage> {
  const found = parseSearch(query.q, {
    what: "user",
    free: "search",
    keys: {
      search: "string",
      name: "string",
      status: ["active", "suspended", "dormant"],
      role: "strings",
      login_type: ["password", "github", "oidc", "none", "token", "oauth2_provider_app"],
      last_seen_before: "time",
      last_seen_after: "time",
      created_before: "time",
      created_after: "time",
      github_com_user_id: "int",
      service_account: "bool",
    },
  });
  const filter = {
    search: found.search,
    name: found.name,
    statuses: found.status,
    roles: found.role,
    loginTypes: found.login_type,
    lastSeenBefore: found.last_seen_before,
    lastSeenAfter: found.last_seen_after,
    createdBefore: found.created_before,
    createdAfter: found.created_after,
    githubComUserId: found.github_com_user_id,
    isServiceAccount: found.service_account,
  };
  const rows = await store.getUsers(ctx, {
    ...filter,
    afterId: query.after_id,
    limitCount: query.limit,
    offsetCount: query.offset,
  });
  const whole = query.limit === 0 && query.offset === 0 && query.after_id === undefined;
  const { count } = whole ? { count: rows.length } : await store.countUsers(ctx, filter);
  return { users: rows.map(({ u, organizationIds }) => toUser(u, organizationIds)), count };
}
