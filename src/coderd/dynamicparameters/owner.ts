/** An owner as templates see him: no secrets. */
import type { PreviewOwner } from "#preview/dynamic/render.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { actors } from "../rbac/actors.ts";

export const nobody: PreviewOwner = {
  id: "",
  name: "",
  full_name: "",
  email: "",
  ssh_public_key: "",
  groups: [],
  login_type: "",
  rbac_roles: [],
};

/** Undefined: nobody, or no member of the organization. The caller checks who may know. */
export async function previewOwner(
  ctx: Ctx,
  store: AuthzStore,
  { userId, organizationId }: { readonly userId: string; readonly organizationId: string },
): Promise<PreviewOwner | undefined> {
  const system = ctx.as(actors.provisionerd, "an owner as templates see him");
  const found = await store.getPreviewOwner(system, { userId, organizationId });
  if (!found) return undefined;
  const { u } = found;
  return {
    id: u.id,
    name: u.username,
    full_name: u.name,
    email: u.email,
    ssh_public_key: found.sshPublicKey ?? "",
    groups: found.groupNames,
    login_type: u.loginType,
    rbac_roles: [
      ...["member", ...u.rbacRoles].map((name) => ({ name, org_id: "" })),
      ...["organization-member", ...found.organizationRoles].map((name) => ({
        name,
        org_id: organizationId,
      })),
    ],
  };
}
