import type { workspacestatsQueries } from "../../gen/workspacestats.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

const writes = system("update", "what use of workspaces changes; only the server's own batches and reports");

export const workspacestatsRules = {
  insertAgentStats: writes,
  updateWorkspacesLastUsed: writes,
  getBumpFacts: system("read", "whether use moves a deadline; only the server asks"),
  bumpBuildDeadline: writes,
} satisfies RulesOf<typeof workspacestatsQueries>;
