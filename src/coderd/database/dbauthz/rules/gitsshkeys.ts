import type { gitsshkeysQueries } from "../../gen/gitsshkeys.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { user } from "../kinds.ts";
import { arg } from "../rule.ts";

const owner = ({ userId }: { readonly userId: string }) => ({ id: userId });

export const gitsshkeysRules = {
  getGitSshKey: arg("read_personal", user, owner),
  upsertGitSshKey: arg("update_personal", user, owner),
} satisfies RulesOf<typeof gitsshkeysQueries>;
