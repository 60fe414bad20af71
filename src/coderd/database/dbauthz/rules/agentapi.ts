import type { agentapiQueries } from "../../gen/agentapi.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { system } from "../rule.ts";

const reads = system("read", "what an agent may know of itself; the connection binds its id");
const writes = system("update", "what an agent reports of itself; the connection binds its id");

export const agentapiRules = {
  getAgentForConnection: reads,
  getAgentScripts: reads,
  getAgentApps: reads,
  getAgentMetadata: reads,
  getAgentDevcontainers: reads,
  updateAgentConnection: writes,
  updateAgentDisconnected: writes,
  updateAgentStartup: writes,
  updateAgentLifecycle: writes,
  insertAgentLogSource: writes,
  addAgentLogLength: writes,
  insertAgentLogLines: writes,
  updateAgentLogsOverflowed: writes,
  updateAgentMetadata: writes,
  insertAgentScriptTiming: writes,
  updateAgentAppHealths: writes,
  insertAgentAppStatus: writes,
  getLatestAppState: reads,
} satisfies RulesOf<typeof agentapiQueries>;
