import type { authenticationQueries } from "../../gen/authentication.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

export const authenticationRules = {
  getAgentAuthentication: system("read", "who calls is not known before"),
  getProvisionerKeyBySecret: system("read", "who calls is not known before"),
} satisfies RulesOf<typeof authenticationQueries>;
