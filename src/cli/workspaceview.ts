/** What lists of workspaces show: status words, health, times, links. Pure. */
import type { Workspace } from "#codersdk/workspaces.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { Column } from "./cliui/table.ts";
import { scheduleDisplay } from "./schedule/parse.ts";
import { durationDisplay, timeDisplay } from "./cliui/times.ts";

/** `Started` after a successful start; what goes on while a job runs; how it ended otherwise. */
export function displayStatus(build: WorkspaceBuild): string {
  const { status } = build.job;
  const words = {
    start: ["Starting", "Started"],
    stop: ["Stopping", "Stopped"],
    delete: ["Deleting", "Deleted"],
  } as const;
  const [going, done] = words[build.transition];
  switch (status) {
    case "pending":
      return "Pending";
    case "running":
      return going;
    case "succeeded":
      return done;
    case "canceling":
      return "Canceling";
    case "canceled":
      return "Canceled";
    case "failed":
      return "Failed";
    default:
      return "Unknown";
  }
}

export interface WorkspaceRow {
  readonly workspace: Workspace;
  readonly now: Date;
}

const ago = (at: Date, now: Date): string => durationDisplay(now.getTime() - at.getTime());

function healthy({ workspace }: WorkspaceRow): string {
  const status = displayStatus(workspace.latest_build);
  return status === "Starting" || status === "Started" ? String(workspace.health.healthy) : "";
}

function stopsAfter({ workspace, now }: WorkspaceRow): string {
  if (workspace.ttl_ms === undefined || workspace.ttl_ms === 0) return "";
  const { deadline } = workspace.latest_build;
  const ttl = durationDisplay(workspace.ttl_ms);
  if (!deadline || displayStatus(workspace.latest_build) !== "Started") return ttl;
  const left = deadline.getTime() - now.getTime();
  return left > 0 ? `${ttl} (in ${durationDisplay(left)})` : ttl;
}

export const workspaceColumns: readonly Column<WorkspaceRow>[] = [
  { name: "favorite", cell: ({ workspace }) => (workspace.favorite ? "★" : "") },
  {
    name: "workspace",
    cell: ({ workspace }) => `${workspace.favorite ? "★ " : ""}${workspace.owner_name}/${workspace.name}`,
  },
  { name: "organization id", cell: ({ workspace }) => workspace.organization_id },
  { name: "organization name", cell: ({ workspace }) => workspace.organization_name },
  { name: "template", cell: ({ workspace }) => workspace.template_name },
  { name: "status", cell: ({ workspace }) => displayStatus(workspace.latest_build) },
  { name: "healthy", cell: healthy },
  { name: "last built", cell: ({ workspace, now }) => ago(workspace.latest_build.created_at, now) },
  { name: "current version", cell: ({ workspace }) => workspace.latest_build.template_version_name },
  { name: "outdated", cell: ({ workspace }) => String(workspace.outdated) },
  { name: "starts at", cell: ({ workspace }) => scheduleDisplay(workspace.autostart_schedule) },
  { name: "starts next", cell: ({ workspace }) => timeDisplay(workspace.next_start_at) },
  { name: "stops after", cell: stopsAfter },
  { name: "stops next", cell: ({ workspace }) => timeDisplay(workspace.latest_build.deadline) },
  { name: "daily cost", cell: ({ workspace }) => String(workspace.latest_build.daily_cost) },
];
