/** Jobs as the API shows them. */
import type {
  MatchedProvisioners,
  ProvisionerJob as WireJob,
  ProvisionerJobMetadata,
} from "#codersdk/provisionerjobs.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";

const nilUuid = "00000000-0000-0000-0000-000000000000";

const noMetadata: ProvisionerJobMetadata = {
  template_version_name: "",
  template_id: nilUuid,
  template_name: "",
  template_display_name: "",
  template_icon: "",
  workspace_id: undefined,
  workspace_name: undefined,
  workspace_build_transition: undefined,
};

export interface JobExtras {
  /** Of a waiting job; 0 of 0 for others, and where no daemon could take it. */
  readonly queue?: { readonly position: number; readonly size: number } | undefined;
  /** Only lists of jobs tell what a job is about. */
  readonly metadata?: ProvisionerJobMetadata;
  readonly workerName?: string | undefined;
  readonly availableWorkers?: readonly string[];
}

export function toProvisionerJob(job: ProvisionerJob, extras: JobExtras = {}): WireJob {
  const input = new Map(Object.entries(typeof job.input === "object" && job.input !== null ? job.input : {}));
  return {
    id: job.id,
    created_at: job.createdAt,
    started_at: job.startedAt ?? undefined,
    completed_at: job.completedAt ?? undefined,
    canceled_at: job.canceledAt ?? undefined,
    error: job.error ?? undefined,
    error_code: errorCode(job.errorCode),
    status: job.jobStatus,
    worker_id: job.workerId ?? undefined,
    worker_name: extras.workerName,
    file_id: job.fileId,
    tags: job.tags,
    queue_position: extras.queue?.position ?? 0,
    queue_size: extras.queue?.size ?? 0,
    organization_id: job.organizationId,
    initiator_id: job.initiatorId,
    input: {
      template_version_id: textOf(input.get("template_version_id")),
      workspace_build_id: textOf(input.get("workspace_build_id")),
      error: undefined,
    },
    type: job.type,
    available_workers: extras.availableWorkers && [...extras.availableWorkers],
    metadata: extras.metadata ?? noMetadata,
    logs_overflowed: job.logsOverflowed,
  };
}

function errorCode(code: string | null): WireJob["error_code"] {
  return code === "REQUIRED_TEMPLATE_VARIABLES" || code === "INSUFFICIENT_QUOTA" ? code : undefined;
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** A daemon that was silent for longer takes no job. */
export const daemonStaleMs = 90_000;

/** Of the daemons whose tags match a job: how many, how many of them alive when it was made, and the last sign of life. */
export function matchedProvisioners(
  daemons: readonly { readonly lastSeenAt: Date | null }[],
  at: Date,
): MatchedProvisioners {
  const seen = daemons.flatMap(({ lastSeenAt }) => (lastSeenAt ? [lastSeenAt.getTime()] : []));
  return {
    count: daemons.length,
    available: seen.filter((time) => time >= at.getTime() - daemonStaleMs).length,
    most_recently_seen: seen.length === 0 ? null : new Date(Math.max(...seen)),
  };
}
