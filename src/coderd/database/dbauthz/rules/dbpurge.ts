import type { dbpurgeQueries } from "../../gen/dbpurge.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

const purge = system("delete", "over all tenants at once");

export const dbpurgeRules = {
  deleteExpiredApiKeys: purge,
  deleteUsedLoginLinks: purge,
  deleteStaleProvisionerDaemons: purge,
  deleteOldWorkspaceAgentStats: purge,
  deleteOldWorkspaceAgentLogs: purge,
} satisfies RulesOf<typeof dbpurgeQueries>;
