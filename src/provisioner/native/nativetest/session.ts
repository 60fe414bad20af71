/** An engine without the session protocol: requests in, completes and log lines out. Test only. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import type { Engine, EngineSession } from "#provisionersdk/engine.ts";
import type { LogLevel } from "#rpc/gen/provisionersdk_pb.js";
import {
  type ApplyComplete,
  ApplyCompleteSchema,
  ApplyRequestSchema,
  ConfigSchema,
  type GraphComplete,
  GraphCompleteSchema,
  GraphRequestSchema,
  GraphSource,
  InitCompleteSchema,
  InitRequestSchema,
  type PlanComplete,
  PlanCompleteSchema,
  PlanRequestSchema,
  WorkspaceTransition,
  type Metadata,
  MetadataSchema,
  RichParameterValueSchema,
  VariableValueSchema,
} from "#rpc/gen/provisionersdk_pb.js";

/** The plain fields of a job's metadata. */
export type MetadataFields = Pick<
  Metadata,
  | "coderUrl"
  | "workspaceName"
  | "workspaceOwner"
  | "workspaceOwnerName"
  | "workspaceOwnerEmail"
  | "workspaceId"
  | "workspaceOwnerId"
  | "templateId"
  | "templateName"
  | "templateVersion"
  | "workspaceOwnerGroups"
>;

export interface Build {
  readonly error: string;
  readonly plan?: PlanComplete;
  readonly planned?: GraphComplete;
  readonly apply?: ApplyComplete;
  readonly graph?: GraphComplete;
  readonly logs: readonly { readonly level: LogLevel; readonly output: string }[];
}

export interface BuildInput {
  readonly files: Readonly<Record<string, string>>;
  readonly state?: Uint8Array;
  readonly transition?: "start" | "stop" | "destroy";
  readonly parameters?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Partial<MetadataFields>>;
  readonly planOnly?: boolean;
  readonly canceled?: AbortSignal;
  readonly killed?: AbortSignal;
  /** Sees each line as it comes. */
  readonly onLine?: (line: string) => void;
}

const transitions = {
  start: WorkspaceTransition.START,
  stop: WorkspaceTransition.STOP,
  destroy: WorkspaceTransition.DESTROY,
} as const;

export const usualMetadata: Readonly<Partial<MetadataFields>> = {
  coderUrl: "https://coder.example.test",
  workspaceName: "wren",
  workspaceOwner: "mira",
  workspaceOwnerName: "Mira Example",
  workspaceOwnerEmail: "mira@example.test",
  workspaceId: "10000000-0000-4000-8000-000000000001",
  workspaceOwnerId: "10000000-0000-4000-8000-000000000002",
  templateId: "10000000-0000-4000-8000-000000000003",
  templateName: "nest",
  templateVersion: "v1",
  workspaceOwnerGroups: ["Everyone"],
};

/** init, plan, graph, apply, graph, in a folder of its own. Stops at the first error. */
export async function runBuild(engine: Engine, workDir: string, input: BuildInput): Promise<Build> {
  const files = join(workDir, "files");
  for (const [name, text] of Object.entries(input.files)) {
    mkdirSync(dirname(join(files, name)), { recursive: true });
    writeFileSync(join(files, name), text);
  }
  const logs: { level: LogLevel; output: string }[] = [];
  const session: EngineSession = {
    config: create(ConfigSchema, {}),
    workDir,
    files,
    clock: realClock,
    log: discardLogger,
    canceled: input.canceled ?? new AbortController().signal,
    killed: input.killed ?? new AbortController().signal,
    emit(level, output) {
      logs.push({ level, output });
      input.onLine?.(output);
    },
  };
  const metadata = create(MetadataSchema, {
    ...usualMetadata,
    workspaceTransition: transitions[input.transition ?? "start"],
    ...input.metadata,
  });
  const init = create(InitCompleteSchema, await engine.init(session, create(InitRequestSchema, {})));
  if (init.error !== "") return { error: init.error, logs };
  const plan = create(
    PlanCompleteSchema,
    await engine.plan(
      session,
      create(PlanRequestSchema, {
        metadata,
        state: input.state ?? new Uint8Array(),
        richParameterValues: Object.entries(input.parameters ?? {}).map(([name, value]) =>
          create(RichParameterValueSchema, { name, value }),
        ),
        variableValues: Object.entries(input.variables ?? {}).map(([name, value]) =>
          create(VariableValueSchema, { name, value }),
        ),
      }),
    ),
  );
  if (plan.error !== "") return { error: plan.error, plan, logs };
  const graphOf = async (source: GraphSource): Promise<GraphComplete> =>
    create(
      GraphCompleteSchema,
      await engine.graph(session, create(GraphRequestSchema, { metadata, source })),
    );
  const planned = await graphOf(GraphSource.SOURCE_PLAN);
  if (input.planOnly || planned.error !== "") return { error: planned.error, plan, planned, logs };
  const apply = create(
    ApplyCompleteSchema,
    await engine.apply(session, create(ApplyRequestSchema, { metadata })),
  );
  if (apply.error !== "") return { error: apply.error, plan, planned, apply, logs };
  const graph = await graphOf(GraphSource.SOURCE_STATE);
  return { error: graph.error, plan, planned, apply, graph, logs };
}
