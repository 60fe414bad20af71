import type { userconfigsQueries } from "../../gen/userconfigs.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { user } from "../kinds.ts";
import { arg } from "../rule.ts";

const owner = ({ userId }: { readonly userId: string }) => ({ id: userId });

export const userconfigsRules = {
  getUserConfigs: arg("read_personal", user, owner),
  upsertUserConfig: arg("update_personal", user, owner),
} satisfies RulesOf<typeof userconfigsQueries>;
