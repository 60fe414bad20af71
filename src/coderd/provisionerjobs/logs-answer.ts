/** What log routes of imports, dry runs and builds answer: all lines, as text, or followed to the end. */
import { ProvisionerJobLog } from "#codersdk/provisionerjobs.ts";
import type { Ctx } from "../ctx.ts";
import { Invalid } from "../errors.ts";
import { jsonStream, rawReply, type JsonStream, type RawReply } from "../httpapi/reply.ts";
import { followLogs, type LogDeps, readLogs, textOfLogs } from "./logs.ts";

export interface LogsQuery {
  readonly before: number;
  readonly after: number;
  readonly follow: boolean;
  readonly format: string;
}

export async function logsOf(
  ctx: Ctx,
  deps: LogDeps,
  jobId: string,
  query: LogsQuery,
): Promise<ProvisionerJobLog[] | JsonStream | RawReply> {
  const { after, before, follow, format } = query;
  if (!["", "json", "text"].includes(format)) {
    throw new Invalid("Unsupported log format.", {
      validations: [{ field: "format", detail: `received ${JSON.stringify(format)}` }],
    });
  }
  if (follow && format === "text") {
    throw new Invalid("Logs cannot be followed as text.", {
      validations: [{ field: "format", detail: "text is not supported together with follow" }],
    });
  }
  if (follow) {
    return jsonStream(ProvisionerJobLog, (signal) => followLogs(ctx.until(signal), deps, { jobId, after }));
  }
  const lines = await readLogs(ctx, deps.store, { jobId, after });
  const asked = before > 0 ? lines.filter(({ id }) => id < before) : lines;
  if (format !== "text") return asked;
  return rawReply(200, textOfLogs(asked), { headers: { "content-type": "text/plain; charset=utf-8" } });
}
