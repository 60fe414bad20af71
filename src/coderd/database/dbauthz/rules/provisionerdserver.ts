import type { provisionerdserverQueries } from "../../gen/provisionerdserver.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

const reads = system("read", "what a daemon needs for a job that it owns");
const writes = system("update", "what a daemon reports of a job that it owns");

export const provisionerdserverRules = {
  getBuildForJob: reads,
  getVersionForJob: reads,
  getVariablesForJob: reads,
  getBuildParametersForJob: reads,
  getFileForJob: reads,
  deleteWorkspaceSessionKeys: writes,
  insertVersionVariable: writes,
  insertVersionWorkspaceTags: writes,
  updateVersionReadme: writes,
  updateVersionFlags: writes,
  insertVersionParameter: writes,
  insertVersionPreset: writes,
  insertVersionPresetParameters: writes,
  insertVersionPresetSchedules: writes,
  insertVersionExternalAuth: writes,
  upsertVersionTerraformValues: writes,
  upsertModuleFile: writes,
  getModuleFileByHash: reads,
  upsertBuildState: writes,
  getBuildState: reads,
  copyPreviousBuildState: writes,
  updateBuildAfterSuccess: writes,
  updateBuildDailyCost: writes,
  insertWorkspaceResource: writes,
  insertWorkspaceResourceMetadata: writes,
  insertWorkspaceModules: writes,
  insertJobAgent: writes,
  insertJobAgentMetadata: writes,
  insertJobAgentLogSources: writes,
  insertJobAgentScripts: writes,
  insertJobAgentDevcontainer: writes,
  insertJobAgentMemoryMonitor: writes,
  insertJobAgentVolumeMonitor: writes,
  upsertJobApp: writes,
  deleteEarlierAgents: writes,
  deleteAgentsOfWorkspace: writes,
  markWorkspaceDeleted: writes,
  getWorkspaceForJob: reads,
  getBuildOfJob: reads,
} satisfies RulesOf<typeof provisionerdserverQueries>;
