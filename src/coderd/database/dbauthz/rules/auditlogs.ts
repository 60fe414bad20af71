import type { auditlogsQueries } from "../../gen/auditlogs.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { bare } from "../kinds.ts";
import { arg, filter } from "../rule.ts";

export const auditlogsRules = {
  insertAuditLog: arg("create", bare("audit_log")),
  getAuditLogsOfResource: filter(),
} satisfies RulesOf<typeof auditlogsQueries>;
