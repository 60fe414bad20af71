import type { connectionlogsQueries } from "../../gen/connectionlogs.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

export const connectionlogsRules = {
  upsertConnectionLog: system("update", "who writes the connection log", "connection_log"),
} satisfies RulesOf<typeof connectionlogsQueries>;
