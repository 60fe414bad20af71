import type { siteconfigsQueries } from "../../gen/siteconfigs.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

const why = "holds signing keys beside harmless settings";

export const siteconfigsRules = {
  getSiteConfig: system("read", why),
  upsertSiteConfig: system("update", why),
  insertSiteConfigIfAbsent: system("create", why),
} satisfies RulesOf<typeof siteconfigsQueries>;
