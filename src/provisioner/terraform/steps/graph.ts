/** What a plan or a state means to users: resources, agents, parameters and so on. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EngineSession } from "#provisionersdk/engine.ts";
import {
  GraphSource,
  LogLevel,
  type GraphCompleteSchema,
  type GraphRequest,
} from "#rpc/gen/provisionersdk_pb.js";
import { convertPlan, convertState, type Converted } from "../convert/convert.ts";
import type { TerraformHost } from "../host.ts";
import { readState } from "../state-file.ts";
import { stateJson } from "../state-json.ts";
import { readPlanJson } from "./files.ts";

export async function graph(
  host: TerraformHost,
  session: EngineSession,
  { source }: GraphRequest,
): Promise<MessageInitShape<typeof GraphCompleteSchema>> {
  const ofState = source === GraphSource.SOURCE_STATE;
  const { warnings, ...converted } = await (ofState ? stateOf(host, session) : planOf(host, session));
  for (const line of warnings) session.emit(LogLevel.WARN, line);
  return converted;
}

async function planOf(host: TerraformHost, session: EngineSession): Promise<Converted> {
  const plan = await readPlanJson(session);
  return convertPlan({ plan, dot: await host.dotOf(session), rand: host.options.rand });
}

async function stateOf(host: TerraformHost, session: EngineSession): Promise<Converted> {
  const { rand } = host.options;
  const state = await readState(session.files);
  if (state.length === 0) return convertState({ state: {}, dot: "", rand });
  return convertState({ state: stateJson(state), dot: await host.dotOf(session), rand });
}
