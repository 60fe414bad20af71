import type { workspacesQueries } from "../../gen/workspaces.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { ownedBy, workspace } from "../kinds.ts";
import { workspaceById } from "../load.ts";
import { arg, parent, row, system } from "../rule.ts";

const timings = system("read", "how long a build took that the caller has read");
const named = system("read", "who is named by the access list of a workspace that the caller has read");

export const workspacesRules = {
  updateWorkspaceDormancy: parent("update", workspace, workspaceById),
  updateBuildDeadline: system("update", "the deadline of a workspace that the caller may change"),
  updateWorkspaceNextStart: system("update", "follows from the schedule and the template"),
  lockWorkspaceToShare: row("read", workspace),
  updateWorkspaceAcl: parent("share", workspace, workspaceById),
  getUsersOfAcl: named,
  getGroupsOfAcl: named,
  getGroupNamesOfAcl: named,
  getGroupMembersOfAcl: named,
  getAutofillParameters: arg("read", ownedBy("user"), ({ ownerId }: { readonly ownerId: string }) => ({
    userId: ownerId,
  })),
  getScriptTimings: timings,
  getAgentConnectTimes: timings,
} satisfies RulesOf<typeof workspacesQueries>;
