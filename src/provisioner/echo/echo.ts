/**
 * The scripted engine of tests (spec provisioning §9): a template's archive holds the answers themselves, serialized
 * `provisioner.Response` messages in files named
 *
 *     <n>.<start|stop|destroy>.<plan|apply|graph>.protobuf    for one transition, else
 *     <n>.<parse|init|plan|apply|graph>.protobuf              n = 0, 1, 2 …
 *
 * Logs are replayed, the first message of the asked kind is the answer; a script that has none waits until it is
 * cancelled, which is how tests hold a job open.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type Metadata,
  type Response,
  ResponseSchema,
  WorkspaceTransition,
} from "#rpc/gen/provisionersdk_pb.js";
import type { Engine, EngineSession } from "#provisionersdk/engine.ts";

type Kind = "parse" | "init" | "plan" | "apply" | "graph";

export const echoEngine: Engine = {
  init: async (session) => {
    const found = await replay(session, "", "init", (type) =>
      type.case === "init" ? type.value : undefined,
    );
    return found ?? waitForCancel(session);
  },
  parse: async (session) => {
    const pick = (type: Response["type"]) => (type.case === "parse" ? type.value : undefined);
    return (await replay(session, "unspecified", "parse", pick)) ?? { error: "complete response missing" };
  },
  plan: async (session, { metadata }) => {
    const pick = (type: Response["type"]) => (type.case === "plan" ? type.value : undefined);
    return (await replay(session, transitionName(metadata), "plan", pick)) ?? waitForCancel(session);
  },
  apply: async (session, { metadata }) => {
    const pick = (type: Response["type"]) => (type.case === "apply" ? type.value : undefined);
    return (await replay(session, transitionName(metadata), "apply", pick)) ?? waitForCancel(session);
  },
  graph: async (session, { metadata }) => {
    const pick = (type: Response["type"]) => (type.case === "graph" ? type.value : undefined);
    const found = await replay(session, transitionName(metadata), "graph", pick);
    if (!found) return waitForCancel(session);
    return { ...found, hasAiTasks: found.hasAiTasks || found.aiTasks.length > 0 };
  },
};

async function replay<V>(
  session: EngineSession,
  transition: string,
  kind: Kind,
  pick: (type: Response["type"]) => V | undefined,
): Promise<V | undefined> {
  for (let n = 0; ; n++) {
    const bytes =
      (await read(session, `${n}.${transition}.${kind}.protobuf`)) ??
      (await read(session, `${n}.${kind}.protobuf`));
    if (!bytes && n === 0) throw new Error(`no state: the archive has no 0.${kind}.protobuf`);
    if (!bytes) return undefined;
    const { type } = fromBinary(ResponseSchema, bytes);
    if (type.case === "log") session.emit(type.value.level, type.value.output);
    const answer = pick(type);
    if (answer) return answer;
  }
}

async function read(session: EngineSession, name: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(session.files, name));
  } catch {
    return undefined;
  }
}

function waitForCancel({ canceled }: EngineSession): Promise<{ error: string }> {
  return new Promise((resolve) => {
    const stop = () => resolve({ error: "canceled" });
    if (canceled.aborted) stop();
    else canceled.addEventListener("abort", stop, { once: true });
  });
}

function transitionName(metadata: Metadata | undefined): string {
  switch (metadata?.workspaceTransition) {
    case WorkspaceTransition.STOP:
      return "stop";
    case WorkspaceTransition.DESTROY:
      return "destroy";
    case WorkspaceTransition.START:
    case undefined:
      return "start";
  }
}
