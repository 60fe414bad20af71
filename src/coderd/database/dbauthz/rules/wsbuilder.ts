import type { wsbuilderQueries } from "../../gen/wsbuilder.gen.ts";
import type { WorkspaceTransition } from "../../gen/models.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { newWorkspace, template, workspace } from "../kinds.ts";
import { workspaceById, workspaceOf, workspaceOfBuild } from "../load.ts";
import { arg, choose, parent, row, system } from "../rule.ts";

const reads = system(
  "read",
  "what a version asks for is part of a build, also for owners who cannot read the template",
);
const writes = system("update", "part of a build whose insertion was authorized");
const change = parent("update", workspace, workspaceById);

type NewBuild = { readonly workspaceId: string; readonly transition: WorkspaceTransition };

export const wsbuilderRules = {
  lockTemplateToUse: row("read", template),
  getTemplateIdOfVersion: reads,
  lockWorkspaceToBuild: row("read", workspace),
  getBuildFacts: row("read", workspace, ({ w }) => w),
  getVersionToBuild: reads,
  getParametersToBuild: reads,
  getBuildParameters: parent("read", workspace, workspaceOfBuild),
  getPresetsToBuild: reads,
  insertWorkspace: arg("create", newWorkspace),
  insertWorkspaceBuild: choose("workspace:start, stop or delete", ({ transition }: NewBuild) =>
    parent(transition, workspace, workspaceOf),
  ),
  insertWorkspaceBuildParameters: writes,
  copyBuildState: writes,
  clearWorkspaceDormancy: change,
  updateWorkspaceAutostart: change,
  updateWorkspaceTtl: change,
  updateWorkspaceAutomaticUpdates: change,
  updateWorkspaceFavorite: change,
  updateWorkspaceName: change,
  touchWorkspace: change,
  resetBuildDeadline: writes,
  getBuildToRead: row("read", workspace, ({ w }) => w),
} satisfies RulesOf<typeof wsbuilderQueries>;
