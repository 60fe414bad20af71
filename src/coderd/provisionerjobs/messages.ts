/** Messages about jobs: "one was posted" for daemons, "its log grew" and "its log ended" for readers. */
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import type { ProvisionerJob } from "../database/gen/models.gen.ts";

export const postedChannel = "provisioner_job_posted";

export interface Posting {
  /** Undefined (old publishers): every organization. */
  readonly organizationId: string | undefined;
  readonly type: string;
  readonly tags: Readonly<Record<string, string>>;
}

export function publishPosting(pubsub: Pubsub, job: ProvisionerJob): Promise<void> {
  const message = { organization_id: job.organizationId, type: job.provisioner, tags: job.tags };
  return pubsub.publish(postedChannel, JSON.stringify(message));
}

/** Undefined for what is no posting. */
export function parsePosting(payload: string): Posting | undefined {
  const value = parseObject(payload);
  const { organization_id: organization, type, tags } = value ?? {};
  if (typeof type !== "string" || typeof tags !== "object" || tags === null) return undefined;
  const known = typeof organization === "string" && !/^[0-]*$/.test(organization);
  return {
    organizationId: known ? organization : undefined,
    type,
    tags: Object.fromEntries(Object.entries(tags).map(([key, tag]) => [key, String(tag)])),
  };
}

export function logsChannel(jobId: string): string {
  return `provisioner-log-logs:${jobId}`;
}

export interface LogMessage {
  /** Lines with higher ids are new. */
  readonly createdAfter: number;
  readonly endOfLogs: boolean;
}

export function publishLogs(pubsub: Pubsub, jobId: string, message: Partial<LogMessage>): Promise<void> {
  const { createdAfter = 0, endOfLogs = false } = message;
  const wire = { created_after: createdAfter, ...(endOfLogs ? { end_of_logs: true } : {}) };
  return pubsub.publish(logsChannel(jobId), JSON.stringify(wire));
}

export function parseLogs(payload: string): LogMessage | undefined {
  const value = parseObject(payload);
  if (!value) return undefined;
  const { created_after: after, end_of_logs: end } = value;
  return { createdAfter: typeof after === "number" ? after : 0, endOfLogs: end === true };
}

function parseObject(payload: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
}
