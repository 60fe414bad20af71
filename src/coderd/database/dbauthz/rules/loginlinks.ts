import type { loginlinksQueries } from "../../gen/loginlinks.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

const why = "a link stands for its user before anybody is signed in";

export const loginlinksRules = {
  insertLoginLink: system("create", why),
  getLoginLink: system("read", why),
  spendLoginLink: system("update", why),
} satisfies RulesOf<typeof loginlinksQueries>;
