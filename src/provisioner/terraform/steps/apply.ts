/** `terraform apply`: whatever becomes of it, the state on disk is its answer. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EngineSession } from "#provisionersdk/engine.ts";
import { LogLevel, type ApplyCompleteSchema, type ApplyRequest } from "#rpc/gen/provisionersdk_pb.js";
import { providerEnv, publicEnv } from "../../coderprovider/environment.ts";
import type { TerraformHost } from "../host.ts";
import { errorText, runStep, type StepResult } from "../run.ts";
import { rescueState } from "../state-file.ts";
import { planFile } from "./files.ts";
import { logLevelEnv, nothingToDo } from "./plan.ts";

export async function apply(
  host: TerraformHost,
  session: EngineSession,
  { metadata }: ApplyRequest,
): Promise<MessageInitShape<typeof ApplyCompleteSchema>> {
  if (host.empty.has(session)) {
    session.emit(LogLevel.INFO, nothingToDo);
    return {};
  }
  const result = await runApply(host, session, metadata).catch((error: unknown) => ({
    error: errorText(error),
    timings: [],
  }));
  const { state, torn } = await rescueState(session.files);
  if (torn) {
    session.emit(LogLevel.ERROR, "Terraform's state file is torn; the state of before this apply is kept.");
  }
  return { ...result, state };
}

/** Parameters and variables are in the plan. */
async function runApply(
  host: TerraformHost,
  session: EngineSession,
  metadata: ApplyRequest["metadata"],
): Promise<StepResult> {
  const forProvider = providerEnv({ metadata }, host.options.agentScripts);
  const env = { ...host.base, ...publicEnv(forProvider), ...logLevelEnv(session) };
  return runStep(await host.context(session, env, forProvider), {
    stage: "apply",
    args: ["apply", "-no-color", "-auto-approve", "-input=false", "-json", planFile(session)],
    what: "terraform apply",
  });
}
