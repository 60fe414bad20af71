/** What the three job types share: their way to talk to engine, log and server, and how they end. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { AcquiredJob, CompletedJobSchema, FailedJobSchema } from "#rpc/gen/provisionerd_pb.js";
import {
  GraphSource,
  type GraphComplete,
  type Metadata,
  type PlanComplete,
} from "#rpc/gen/provisionersdk_pb.js";
import { MetadataSchema, type PlanRequestSchema } from "#rpc/gen/provisionersdk_pb.js";
import type { SessionClient } from "#provisionersdk/client.ts";
import type { JobApi } from "./api.ts";
import type { JobLog } from "./joblog.ts";

export interface JobSteps {
  readonly job: AcquiredJob;
  readonly session: SessionClient;
  readonly log: JobLog;
  readonly api: JobApi;
  readonly rand: Rand;
  /** Keeps what was applied until the server has it: the session's folder goes before. */
  readonly keepState: (state: Uint8Array) => Promise<void>;
}

export type Completed = NonNullable<MessageInitShape<typeof CompletedJobSchema>["type"]>;
export type Failed = Omit<MessageInitShape<typeof FailedJobSchema>, "jobId" | "$typeName">;
export type Outcome = { readonly completed: Completed } | { readonly failed: Failed };

export function failed(error: string, rest: Omit<Failed, "error"> = {}): Outcome {
  return { failed: { errorCode: errorCode(error), ...rest, error } };
}

/** Codes that clients know, found in the text (spec provisioning §3.1). */
function errorCode(error: string): string {
  if (error.includes("required template variables")) return "REQUIRED_TEMPLATE_VARIABLES";
  if (error.includes("missing parameter")) return "MISSING_TEMPLATE_PARAMETER";
  return "";
}

/** A plan and the graph of what it would make. The first error of the two, with its prefix. */
export async function planAndGraph(
  session: SessionClient,
  request: MessageInitShape<typeof PlanRequestSchema>,
): Promise<{ plan: PlanComplete; graph: GraphComplete } | { error: string; step: "plan" | "graph" }> {
  const plan = await session.plan(request);
  if (plan.error !== "") return { error: plan.error, step: "plan" };
  const metadata: MessageInitShape<typeof MetadataSchema> = request.metadata ?? {};
  const graph = await session.graph({ metadata, source: GraphSource.SOURCE_PLAN });
  return graph.error === "" ? { plan, graph } : { error: graph.error, step: "graph" };
}

/** The job's metadata with changes. */
export function withMetadata(
  metadata: Metadata | undefined,
  changes: Partial<Omit<Metadata, "$typeName" | "$unknown">>,
): Metadata {
  return { ...(metadata ?? create(MetadataSchema)), ...changes };
}
