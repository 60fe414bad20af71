import type { workspaceagentsQueries } from "../../gen/workspaceagents.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { workspace } from "../kinds.ts";
import { workspaceOfAgent } from "../load.ts";
import { parent } from "../rule.ts";

export const workspaceagentsRules = {
  getWorkspaceAgentById: parent("read", workspace, (call, { id }: { readonly id: string }) =>
    workspaceOfAgent(call, { agentId: id }),
  ),
  getWorkspaceAgentLogsAfter: parent("read", workspace, workspaceOfAgent),
  getWorkspaceAgentMetadataRows: parent("read", workspace, workspaceOfAgent),
} satisfies RulesOf<typeof workspaceagentsQueries>;
