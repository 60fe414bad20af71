import type { GetWorkspaceToDialRow, tailnetQueries } from "../../gen/tailnet.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { workspace } from "../kinds.ts";
import { row } from "../rule.ts";

export const tailnetRules = {
  // Whether the caller may enter it is asked by the route.
  getWorkspaceToDial: row("read", workspace, ({ w }: GetWorkspaceToDialRow) => w),
} satisfies RulesOf<typeof tailnetQueries>;
