/** Daemons, keys and lists of jobs as the API shows them. Pure. */
import type { ProvisionerDaemon as WireDaemon, ProvisionerDaemonJob } from "#codersdk/provisionerdaemons.ts";
import type { ProvisionerJob as WireJob } from "#codersdk/provisionerjobs.ts";
import type { ProvisionerKey as WireKey } from "#codersdk/provisionerkeys.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import type { ProvisionerJobStatus, ProvisionerKey } from "../database/gen/models.gen.ts";
import type { GetOrganizationDaemonsRow } from "../database/gen/provisionerdaemons.gen.ts";
import type { GetOrganizationJobsRow } from "../database/gen/provisionerjobs.gen.ts";
import { toProvisionerJob } from "../provisionerjobs/wire.ts";
import { staleMs } from "../provisionerdserver/registration.ts";

export function daemonStatus(row: GetOrganizationDaemonsRow, now: Date): "offline" | "idle" | "busy" {
  if (row.currentId !== null) return "busy";
  const seen = row.d.lastSeenAt;
  return seen === null || now.getTime() - seen.getTime() > staleMs ? "offline" : "idle";
}

export function toDaemon(row: GetOrganizationDaemonsRow, now: Date): WireDaemon {
  const { d } = row;
  return {
    id: d.id,
    organization_id: d.organizationId,
    key_id: d.keyId,
    created_at: d.createdAt,
    last_seen_at: d.lastSeenAt,
    name: d.name,
    version: d.version,
    api_version: d.apiVersion,
    provisioners: d.provisioners,
    tags: d.tags,
    key_name: row.keyName,
    status: daemonStatus(row, now),
    current_job: jobOf(row.currentId, row.currentStatus, {
      name: row.currentTemplateName,
      icon: row.currentTemplateIcon,
      displayName: row.currentTemplateDisplayName,
    }),
    previous_job: jobOf(row.previousId, row.previousStatus, {
      name: row.previousTemplateName,
      icon: row.previousTemplateIcon,
      displayName: row.previousTemplateDisplayName,
    }),
  };
}

function jobOf(
  id: string | null,
  status: ProvisionerJobStatus | null,
  template: {
    readonly name: string | null;
    readonly icon: string | null;
    readonly displayName: string | null;
  },
): ProvisionerDaemonJob | null {
  if (id === null || status === null) return null;
  return {
    id,
    status,
    template_name: template.name ?? "",
    template_icon: template.icon ?? "",
    template_display_name: template.displayName ?? "",
  };
}

export function toKey(key: ProvisionerKey): WireKey {
  return {
    id: key.id,
    created_at: key.createdAt,
    organization: key.organizationId,
    name: key.name,
    tags: key.tags,
  };
}

export interface JobPlace {
  readonly queue: { readonly position: number; readonly size: number } | undefined;
  readonly workers: readonly string[];
}

export function toListedJob(row: GetOrganizationJobsRow, { queue, workers }: JobPlace): WireJob {
  return toProvisionerJob(row.j, {
    queue,
    availableWorkers: workers,
    workerName: row.workerName ?? undefined,
    metadata: {
      template_version_name: row.versionName ?? "",
      template_id: row.templateId ?? zeroUuid,
      template_name: row.templateName ?? "",
      template_display_name: row.templateDisplayName ?? "",
      template_icon: row.templateIcon ?? "",
      workspace_id: row.workspaceId ?? undefined,
      workspace_name: row.workspaceName ?? undefined,
      workspace_build_transition: row.buildTransition ?? undefined,
    },
  });
}
