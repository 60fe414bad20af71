import type { dynamicparametersQueries } from "../../gen/dynamicparameters.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

export const dynamicparametersRules = {
  getVersionToRender: system("read", "the form of a version that the caller may read, or builds with"),
  getPreviewOwner: system("read", "an owner that the caller may read, or builds for"),
} satisfies RulesOf<typeof dynamicparametersQueries>;
