import type { usersQueries } from "../../gen/users.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { bare, user } from "../kinds.ts";
import { arg, post, row, system } from "../rule.ts";

export const usersRules = {
  getUserById: row("read", user),
  getUserByEmailOrUsername: row("read", user),
  getUsersByIds: post("read", user),
  getUserCount: system("read", "tells whether the first user is still to be made"),
  insertUser: arg("create", bare("user")),
  updateUserDeletedById: arg("delete", user),
  updateUserStatus: arg("update", user),
  updateUserLastSeenAt: arg("update", user),
} satisfies RulesOf<typeof usersQueries>;
