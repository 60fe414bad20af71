/** `UpdateJob`: the job's pulse, its log, and what an import found out (spec provisioning §5). */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { DrpcError } from "#rpc/drpc/call.ts";
import {
  LogSource,
  type Log,
  type UpdateJobRequest,
  type UpdateJobResponseSchema,
} from "#rpc/gen/provisionerd_pb.js";
import { LogLevel, type VariableValue } from "#rpc/gen/provisionersdk_pb.js";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { LogLevel as Level, ProvisionerJob } from "../database/gen/models.gen.ts";
import { publishLogs } from "../provisionerjobs/messages.ts";
import type { DaemonIdentity, ProvisionerdServerDeps } from "./deps.ts";
import { inputField, lockOwnJob, mustRun } from "./own-job.ts";

/** Bytes of output that a job's log keeps. */
const maxLogBytes = 1_048_576;
/** Characters of one line. */
const maxLine = 1024;
const maxStage = 128;
/** Fixed: clients look for it. */
const overflowNotice =
  "Provisioner logs exceeded the max size of 1MB. Will not continue to write provisioner logs for workspace build.";

export async function updateJob(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  daemon: DaemonIdentity,
  request: UpdateJobRequest,
): Promise<MessageInitShape<typeof UpdateJobResponseSchema>> {
  let missing: string[] = [];
  const answer = await deps.store.inTx(ctx, {}, async (tx) => {
    const job = await lockOwnJob(ctx, tx, daemon, request.jobId);
    mustRun(job);
    await tx.touchProvisionerJob(ctx, { id: job.id, now: ctx.now() });
    if (request.logs.length > 0) await addLogs(ctx, tx, deps, job, request.logs);
    const found = await importFindings(ctx, tx, job, request);
    missing = found.missing;
    return { canceled: job.canceledAt !== null, variableValues: found.values };
  });
  // Rows stay: the next try shows what is asked for.
  if (missing.length > 0) {
    throw new DrpcError(`required template variables need values: ${missing.join(", ")}`);
  }
  return answer;
}

export interface LogPlan {
  readonly lines: readonly { readonly log: Log; readonly output: string; readonly level: Level }[];
  /** Bytes to count. */
  readonly added: number;
  readonly overflowed: boolean;
}

/** Which lines still fit. The line that does not is replaced by the notice. Pure. */
export function planLogs(stored: number, logs: readonly Log[]): LogPlan {
  const lines: { log: Log; output: string; level: Level }[] = [];
  const room = maxLogBytes - stored - Buffer.byteLength(overflowNotice);
  let added = 0;
  for (const log of logs) {
    const size = Buffer.byteLength(log.output);
    if (added + size > room) {
      lines.push({ log, output: overflowNotice, level: "warn" });
      return { lines, added: added + Buffer.byteLength(overflowNotice), overflowed: true };
    }
    added += size;
    lines.push({ log, output: log.output, level: levels[log.level] });
  }
  return { lines, added, overflowed: false };
}

const levels: Readonly<Record<LogLevel, Level>> = {
  [LogLevel.TRACE]: "trace",
  [LogLevel.DEBUG]: "debug",
  [LogLevel.INFO]: "info",
  [LogLevel.WARN]: "warn",
  [LogLevel.ERROR]: "error",
};

async function addLogs(
  ctx: Ctx,
  tx: AuthzTx,
  { pubsub }: ProvisionerdServerDeps,
  job: ProvisionerJob,
  logs: readonly Log[],
): Promise<void> {
  if (job.logsOverflowed) return;
  const { lines, added, overflowed } = planLogs(job.logsLength, logs);
  const ids = await tx.insertProvisionerJobLogs(ctx, {
    jobId: job.id,
    createdAts: lines.map(({ log }) => new Date(Number(log.createdAt))),
    sources: lines.map(({ log }) =>
      log.source === LogSource.PROVISIONER ? "provisioner" : "provisioner_daemon",
    ),
    levels: lines.map(({ level }) => level),
    stages: lines.map(({ log }) => printable(log.stage).slice(0, maxStage)),
    outputs: lines.map(({ output }) => cut(printable(output))),
  });
  await tx.addProvisionerJobLogsLength(ctx, { id: job.id, added, overflowed });
  const lowest = Math.min(...ids.map(({ id }) => id));
  tx.afterCommit(() => publishLogs(pubsub, job.id, { createdAfter: lowest - 1 }));
}

/** PostgreSQL keeps no NUL in text. */
function printable(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}

function cut(text: string): string {
  return text.length <= maxLine ? text : Array.from(text).slice(0, maxLine).join("");
}

async function importFindings(
  ctx: Ctx,
  tx: AuthzTx,
  job: ProvisionerJob,
  request: UpdateJobRequest,
): Promise<{ values: VariableValue[]; missing: string[] }> {
  const { workspaceTags, readme, templateVariables, userVariableValues } = request;
  const tags = Object.entries(workspaceTags);
  const nothing = tags.length === 0 && readme.length === 0 && templateVariables.length === 0;
  if (nothing) return { values: [], missing: [] };
  if (job.type !== "template_version_import") {
    throw new DrpcError(`a ${job.type} job has no template to describe`);
  }
  const templateVersionId = inputField(job, "template_version_id");
  if (tags.length > 0) {
    const keys = tags.map(([key]) => key);
    await tx.insertVersionWorkspaceTags(ctx, {
      templateVersionId,
      keys,
      values: tags.map(([, value]) => value),
    });
  }
  if (readme.length > 0) {
    const text = printable(Buffer.from(readme).toString("utf8")).slice(0, maxLogBytes);
    await tx.updateVersionReadme(ctx, { id: templateVersionId, readme: text, now: ctx.now() });
  }
  const values: VariableValue[] = [];
  const missing: string[] = [];
  for (const variable of templateVariables) {
    const given = userVariableValues.find(({ name }) => name === variable.name);
    const value = given?.value ?? variable.defaultValue;
    const { name, description, type, defaultValue, required, sensitive } = variable;
    await tx.insertVersionVariable(ctx, {
      templateVersionId,
      name,
      description,
      type,
      value,
      defaultValue,
      required,
      sensitive,
    });
    if (required && value === "") missing.push(name);
    values.push({ $typeName: "provisioner.VariableValue", name, value, sensitive });
  }
  return { values, missing };
}
