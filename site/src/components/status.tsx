/** A workspace's state in one word, with a colour that repeats it. */
import type { ProvisionerJobStatus } from "#codersdk/provisionerjobs.ts";
import type { WorkspaceStatus } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";

export type Tone = "good" | "busy" | "idle" | "bad" | "warn";

interface Look {
  readonly label: string;
  readonly tone: Tone;
}

const looks: Readonly<Record<WorkspaceStatus, Look>> = {
  pending: { label: "Waiting", tone: "busy" },
  starting: { label: "Starting", tone: "busy" },
  running: { label: "Running", tone: "good" },
  stopping: { label: "Stopping", tone: "busy" },
  stopped: { label: "Stopped", tone: "idle" },
  failed: { label: "Failed", tone: "bad" },
  canceling: { label: "Cancelling", tone: "busy" },
  canceled: { label: "Cancelled", tone: "idle" },
  deleting: { label: "Deleting", tone: "busy" },
  deleted: { label: "Deleted", tone: "idle" },
};

/** A running workspace whose agents are not all well says so. Pure. */
export function lookOf({ latest_build: build, health }: Pick<Workspace, "latest_build" | "health">): Look {
  const agents = build.resources.flatMap((resource) => resource.agents ?? []);
  if (build.status === "running" && agents.some(({ status }) => status === "connecting")) {
    return { label: "Connecting", tone: "busy" };
  }
  if (build.status === "running" && !health.healthy) return { label: "Unhealthy", tone: "warn" };
  return looks[build.status];
}

const jobs: Readonly<Record<ProvisionerJobStatus, Look>> = {
  pending: { label: "Waiting", tone: "busy" },
  running: { label: "Running", tone: "busy" },
  succeeded: { label: "Succeeded", tone: "good" },
  canceling: { label: "Cancelling", tone: "busy" },
  canceled: { label: "Cancelled", tone: "idle" },
  failed: { label: "Failed", tone: "bad" },
  unknown: { label: "Unknown", tone: "idle" },
};

export const jobLook = (status: ProvisionerJobStatus): Look => jobs[status];

export function Badge({ label, tone }: Look) {
  return <span className={`badge badge-${tone}`}>{label}</span>;
}

export const isBusy = (status: WorkspaceStatus): boolean => looks[status].tone === "busy";
