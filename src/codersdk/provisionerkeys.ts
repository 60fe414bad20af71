/** Keys with which external provisioner daemons connect. */
import { endpoint } from "./endpoint.ts";
import { ProvisionerDaemon } from "./provisionerdaemons.ts";
import * as w from "./wire.ts";

export const CreateProvisionerKey = w.struct("CreateProvisionerKeyRequest", {
  name: w.string(),
  tags: w.map(w.string()),
});
export type CreateProvisionerKey = w.Infer<typeof CreateProvisionerKey>;

export const CreateProvisionerKeyResponse = w.struct("CreateProvisionerKeyResponse", {
  key: w.string(),
});
export type CreateProvisionerKeyResponse = w.Infer<typeof CreateProvisionerKeyResponse>;

export const ProvisionerKeyTags = w.map(w.string());
export type ProvisionerKeyTags = w.Infer<typeof ProvisionerKeyTags>;

export const ProvisionerKey = w.struct("ProvisionerKey", {
  id: w.uuid(),
  created_at: w.time(),
  organization: w.uuid(),
  name: w.string(),
  tags: ProvisionerKeyTags,
});
export type ProvisionerKey = w.Infer<typeof ProvisionerKey>;

export const ProvisionerKeyDaemons = w.struct("ProvisionerKeyDaemons", {
  key: ProvisionerKey,
  daemons: w.nullList(ProvisionerDaemon),
});
export type ProvisionerKeyDaemons = w.Infer<typeof ProvisionerKeyDaemons>;

export const provisionerkeys = {
  create: endpoint({
    method: "POST",
    path: "/api/v2/organizations/{organization}/provisionerkeys",
    auth: "session",
    body: CreateProvisionerKey,
    responses: { 201: CreateProvisionerKeyResponse },
    summary: "Make a key for external daemons",
  }),
  list: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/provisionerkeys",
    auth: "session",
    responses: { 200: w.list(ProvisionerKey) },
    summary: "Provisioner keys",
  }),
  daemons: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/provisionerkeys/daemons",
    auth: "session",
    responses: { 200: w.list(ProvisionerKeyDaemons) },
    summary: "Daemons by key",
  }),
  remove: endpoint({
    method: "DELETE",
    path: "/api/v2/organizations/{organization}/provisionerkeys/{provisionerkey}",
    auth: "session",
    responses: { 204: null },
    summary: "Delete a key",
  }),
  self: endpoint({
    method: "GET",
    path: "/api/v2/provisionerkeys/{provisionerkey}",
    auth: "provisioner_key",
    responses: { 200: ProvisionerKey },
    summary: "A key, asked with itself",
  }),
};
