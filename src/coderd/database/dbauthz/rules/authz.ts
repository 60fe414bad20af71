import type { authzQueries } from "../../gen/authz.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { internal } from "../rule.ts";

const facts = internal("read by rules before they decide");

export const authzRules = {
  getWorkspaceFacts: facts,
  getWorkspaceFactsByBuildId: facts,
  getWorkspaceFactsByAgentId: facts,
  getWorkspaceFactsByResourceId: facts,
  getWorkspaceFactsByAppId: facts,
  getWorkspaceFactsByJobId: facts,
  getTemplateFacts: facts,
  getTemplateFactsByVersionId: facts,
  getTemplateFactsByPresetId: facts,
  getTemplateFactsByJobId: facts,
  getTemplateFactsByFileId: facts,
  getFileFacts: facts,
  getApiKeyFacts: facts,
} satisfies RulesOf<typeof authzQueries>;
