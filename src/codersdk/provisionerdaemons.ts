/** Provisioner daemons. */
import { endpoint } from "./endpoint.ts";
import { ProvisionerJobStatus, ProvisionerType } from "./provisionerjobs.ts";
import * as w from "./wire.ts";

export const ProvisionerDaemonJob = w.struct("ProvisionerDaemonJob", {
  id: w.uuid(),
  status: ProvisionerJobStatus,
  template_name: w.string(),
  template_icon: w.string(),
  template_display_name: w.string(),
});
export type ProvisionerDaemonJob = w.Infer<typeof ProvisionerDaemonJob>;

export const ProvisionerDaemonStatus = w.enums("offline", "idle", "busy");
export type ProvisionerDaemonStatus = w.Infer<typeof ProvisionerDaemonStatus>;

export const ProvisionerDaemon = w.struct("ProvisionerDaemon", {
  id: w.uuid(),
  organization_id: w.uuid(),
  key_id: w.uuid(),
  created_at: w.time(),
  last_seen_at: w.nullable(w.time()),
  name: w.string(),
  version: w.string(),
  api_version: w.string(),
  provisioners: w.nullList(ProvisionerType),
  tags: w.map(w.string()),
  key_name: w.nullable(w.string()),
  status: w.nullable(ProvisionerDaemonStatus),
  current_job: w.nullable(ProvisionerDaemonJob),
  previous_job: w.nullable(ProvisionerDaemonJob),
});
export type ProvisionerDaemon = w.Infer<typeof ProvisionerDaemon>;

export const provisionerdaemons = {
  list: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/provisionerdaemons",
    auth: "session",
    query: {
      limit: "int",
      ids: "uuid",
      status: "string",
      tags: "string",
      max_age: "string",
      offline: "string",
    },
    responses: { 200: w.list(ProvisionerDaemon) },
    summary: "Provisioner daemons",
  }),
  serve: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/provisionerdaemons/serve",
    auth: "session|provisioner_key|provisioner_psk",
    responses: { 101: null },
    stream: ["websocket"],
    summary: "Serve as a provisioner daemon",
  }),
};
