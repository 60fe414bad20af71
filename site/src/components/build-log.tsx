/** The log of a job, stage by stage, with how long each took; follows it while the job runs. */
import { useMemo } from "react";
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { ProvisionerJobLog, type ProvisionerJob } from "#codersdk/provisionerjobs.ts";
import { single, useFollow } from "../api/streams.ts";
import { plural } from "../lib/format.ts";
import { LogBox, LogLine } from "./log.tsx";
import { Elapsed } from "./time.tsx";

interface Stage {
  readonly name: string;
  readonly from: Date;
  /** Undefined for the last one. */
  readonly until: Date | undefined;
  readonly lines: readonly ProvisionerJobLog[];
}

/** Lines in a row of the same stage belong together. Pure. */
export function stagesOf(lines: readonly ProvisionerJobLog[]): readonly Stage[] {
  const stages: { name: string; from: Date; until: Date | undefined; lines: ProvisionerJobLog[] }[] = [];
  for (const line of lines) {
    const last = stages.at(-1);
    if (last?.name === line.stage) {
      last.lines.push(line);
      continue;
    }
    if (last) last.until = line.created_at;
    stages.push({ name: line.stage, from: line.created_at, until: undefined, lines: [line] });
  }
  return stages;
}

export const followBuild =
  (buildId: string) =>
  (client: Client, after: number, signal: AbortSignal): AsyncIterable<readonly ProvisionerJobLog[]> =>
    single(
      client.stream(contract.workspacebuilds.logs, ProvisionerJobLog, {
        params: { workspacebuild: buildId },
        query: { follow: true, after },
        signal,
      }),
    );

export const followImport =
  (versionId: string) =>
  (client: Client, after: number, signal: AbortSignal): AsyncIterable<readonly ProvisionerJobLog[]> =>
    single(
      client.stream(contract.templateversions.logs, ProvisionerJobLog, {
        params: { templateversion: versionId },
        query: { follow: true, after },
        signal,
      }),
    );

interface JobLogProps {
  readonly job: ProvisionerJob;
  readonly label: string;
  readonly follow: ReturnType<typeof followBuild>;
}

export function JobLog({ job, label, follow }: JobLogProps) {
  const { lines, ended, dropped } = useFollow(`job/${job.id}`, follow);
  const stages = useMemo(() => stagesOf(lines), [lines]);
  const last = stages.at(-1);
  const over = job.completed_at !== undefined;
  return (
    <>
      <p role="status" className="visually-hidden">
        {over ? `The job ${job.status}` : (last?.name ?? "")}
      </p>
      {lines.length === 0 ? (
        <p className="panel-body muted">{waitingFor(job, ended)}</p>
      ) : (
        <LogBox label={label} length={lines.length}>
          {dropped > 0 && <p className="muted">{plural(dropped, "earlier line")} not shown</p>}
          {stages.map((stage) => (
            <section key={stage.lines[0]?.id} className="stage">
              <h3 className="stage-head">
                <span>{stage.name}</span>
                <Elapsed from={stage.from} until={stage.until ?? job.completed_at} />
              </h3>
              {stage.lines.map(({ id, log_level: level, output }) =>
                output === "" ? null : <LogLine key={id} level={level} output={output} />,
              )}
            </section>
          ))}
        </LogBox>
      )}
    </>
  );
}

/** Pure. */
function waitingFor(job: ProvisionerJob, ended: boolean): string {
  if (ended || job.completed_at !== undefined) return "This job wrote no log.";
  if (job.started_at !== undefined) return "The job has started…";
  if (job.queue_position > 1) {
    return `Waiting for a provisioner: ${job.queue_position - 1} before it in the queue.`;
  }
  return "Waiting for a provisioner…";
}
