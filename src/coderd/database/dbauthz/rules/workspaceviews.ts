import type { GetWorkspaceViewRow, workspaceviewsQueries } from "../../gen/workspaceviews.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { workspace } from "../kinds.ts";
import { filter, row, system } from "../rule.ts";

export const workspaceviewsRules = {
  listWorkspaceViews: filter(),
  getWorkspaceView: row("read", workspace, ({ w }: GetWorkspaceViewRow) => w),
  getBuildViews: system("read", "builds of a workspace that the caller has read"),
  getResourceViews: system("read", "resources of builds or imports that the caller has read"),
} satisfies RulesOf<typeof workspaceviewsQueries>;
