/** `terraform init`, where it has anything to do, and the modules that it leaves. */
import { mkdir } from "node:fs/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EngineSession } from "#provisionersdk/engine.ts";
import { LogLevel, type InitCompleteSchema, type InitRequest } from "#rpc/gen/provisionersdk_pb.js";
import { terraformVariableLines } from "../environment.ts";
import type { TerraformHost } from "../host.ts";
import { isAtLeast } from "../locate.ts";
import { archiveModules, listModules } from "../modules.ts";
import { needsInit } from "../needs-init.ts";
import { runStep } from "../run.ts";

/** From this version on init prints JSON too. */
const initJsonSince = "1.9.0";

export async function init(
  host: TerraformHost,
  session: EngineSession,
  request: InitRequest,
): Promise<MessageInitShape<typeof InitCompleteSchema>> {
  const { base, cache } = host;
  for (const line of terraformVariableLines(base)) session.emit(LogLevel.WARN, line);
  const run = await host.context(session, { ...base, TF_PLUGIN_CACHE_DIR: cache.dir });
  if (!(await needsInit(session.files))) {
    session.emit(
      LogLevel.INFO,
      "Nothing to initialize: the template needs no other providers and no modules.",
    );
    return {};
  }
  const json = isAtLeast(run.terraform.version, initJsonSince) ? ["-json"] : [];
  const args = ["init", "-no-color", "-input=false", ...json];
  await mkdir(cache.dir, { recursive: true });
  const result = await cache.exclusive(session.clock.now(), () =>
    runStep(run, { stage: "init", args, what: "initialize terraform" }),
  );
  if (result.error !== "") return result;
  const modules = await listModules(session.files);
  const moduleFiles = request.omitModuleFiles ? new Uint8Array() : await archiveModules(session.files);
  return { ...result, modules, moduleFiles };
}
