import type { GetUserWithOrganizationsRow, usersQueries } from "../../gen/users.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { bare, user } from "../kinds.ts";
import { arg, filter, post, row, system } from "../rule.ts";

export const usersRules = {
  getUserById: row("read", user),
  getUserByEmailOrUsername: row("read", user),
  getUsersByIds: post("read", user),
  getUserCount: system("read", "tells whether the first user is still to be made"),
  insertUser: arg("create", bare("user")),
  updateUserDeletedById: arg("delete", user),
  updateUserStatus: arg("update", user),
  updateUserLastSeenAt: arg("update", user),
  getUserWithOrganizations: row("read", user, ({ u }: GetUserWithOrganizationsRow) => u),
  getUserByUsernameWithOrganizations: row("read", user, ({ u }: GetUserWithOrganizationsRow) => u),
  getUsers: filter(),
  countUsers: filter(),
  // A changed user name needs more; users/profile.ts asks for it.
  updateUserProfile: arg("update_personal", user),
  // Which roles may be given or taken is asked in rolecheck.ts.
  updateUserRoles: arg("update", user),
  updateUserHashedPassword: arg("update_personal", user),
  lockUser: arg("delete", user),
  countLivingWorkspacesOfUser: system("read", "a user with workspaces cannot be deleted, whoever sees them"),
  updateUsersLastSeen: system("update", "what requests have gathered"),
} satisfies RulesOf<typeof usersQueries>;
