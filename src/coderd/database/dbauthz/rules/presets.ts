import type { presetsQueries } from "../../gen/presets.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { template } from "../kinds.ts";
import { templateOfVersion } from "../load.ts";
import { parent } from "../rule.ts";

const below = parent("read", template, templateOfVersion);

export const presetsRules = {
  getTemplateVersionPresets: below,
  getTemplateVersionPresetParameters: below,
} satisfies RulesOf<typeof presetsQueries>;
