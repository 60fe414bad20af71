/** `terraform plan` and what it says. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EngineSession } from "#provisionersdk/engine.ts";
import {
  LogLevel,
  PrebuiltWorkspaceBuildStage,
  WorkspaceTransition,
  type PlanCompleteSchema,
  type PlanRequest,
} from "#rpc/gen/provisionersdk_pb.js";
import { providerEnv, publicEnv } from "../../coderprovider/environment.ts";
import { parseTemplate } from "../../parse.ts";
import { planFacts, type PlanFacts } from "../convert/plan-facts.ts";
import type { TerraformHost } from "../host.ts";
import { capture, runStep, type StepResult } from "../run.ts";
import { writeState } from "../state-file.ts";
import { variablesFile } from "../variables.ts";
import { planFile, shownJson, writePlanJson, writeVariables } from "./files.ts";

/** Said by a delete of a workspace that has no state. */
export const nothingToDo = "The terraform state does not exist, there is nothing to do";

/** A job with a log level wants Terraform's own log too. */
export function logLevelEnv({ config }: EngineSession): Record<string, string> {
  return config.provisionerLogLevel === "" ? {} : { TF_LOG: "JSON" };
}

export async function plan(
  host: TerraformHost,
  session: EngineSession,
  request: PlanRequest,
): Promise<MessageInitShape<typeof PlanCompleteSchema>> {
  const destroy = request.metadata?.workspaceTransition === WorkspaceTransition.DESTROY;
  host.empty.delete(session);
  if (destroy && request.state.length === 0) {
    host.empty.add(session);
    session.emit(LogLevel.INFO, nothingToDo);
    return {};
  }
  if (request.state.length > 0) await writeState(session.files, request.state);
  const result = await runPlan(host, session, request, destroy ? ["-destroy"] : []);
  if (result.error !== "") return result;
  const show = ["show", "-json", "-no-color", planFile(session)];
  const [text] = await Promise.all([capture(await host.context(session), show), host.dotOf(session)]);
  await writePlanJson(session, text);
  const facts = planFacts(shownJson(text));
  await logReplacements(host, session, request, facts);
  const { dailyCost, aiTaskCount, resourceReplacements } = facts;
  return { ...result, plan: Buffer.from(text), dailyCost, aiTaskCount, resourceReplacements };
}

async function runPlan(
  host: TerraformHost,
  session: EngineSession,
  request: PlanRequest,
  more: readonly string[],
): Promise<StepResult> {
  const forProvider = providerEnv(request, host.options.agentScripts);
  const env = { ...host.base, ...publicEnv(forProvider), ...logLevelEnv(session) };
  const args = ["plan", "-no-color", "-input=false", "-json", "-refresh=true", `-out=${planFile(session)}`];
  return runStep(await host.context(session, env, forProvider), {
    stage: "plan",
    args: [...args, ...more, ...(await variableArguments(session, request))],
    what: "terraform plan",
  });
}

async function variableArguments(session: EngineSession, { variableValues }: PlanRequest): Promise<string[]> {
  if (variableValues.length === 0) return [];
  const { templateVariables } = await parseTemplate(session.files);
  const file = await writeVariables(session, variablesFile(variableValues, templateVariables));
  return [`-var-file=${file}`];
}

/** A claimed prebuild should lose nothing: there the whole plan says what it would lose, and why. */
async function logReplacements(
  host: TerraformHost,
  session: EngineSession,
  { metadata }: PlanRequest,
  facts: PlanFacts,
): Promise<void> {
  if (metadata?.prebuiltWorkspaceBuildStage !== PrebuiltWorkspaceBuildStage.CLAIM) {
    for (const line of facts.replacementLogs) session.emit(LogLevel.WARN, line);
    return;
  }
  if (!facts.replaces) return;
  const text = await capture(await host.context(session), ["show", "-no-color", planFile(session)]);
  for (const line of text.split("\n")) {
    session.emit(line.includes("# forces replacement") ? LogLevel.WARN : LogLevel.INFO, line);
  }
}
