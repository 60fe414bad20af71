/** Rows as objects of permission decisions. One entry for each kind of thing; rules and handlers name them. */
import { type Acl, type ResourceObject } from "../../rbac/access.ts";
import type { TemplateAcl, WorkspaceAcl } from "../types.ts";

export interface Kind<in Facts> {
  /** Every type that `of` can give; for what a rule needs in words, and for deciding before the row is known. */
  readonly types: readonly [string, ...string[]];
  readonly of: (facts: Facts) => ResourceObject;
  /** A second object to ask about when the first answer is no. */
  readonly also?: (facts: Facts) => ResourceObject | undefined;
}

export const nilUuid = "00000000-0000-0000-0000-000000000000";
/** Owner of workspaces that wait to be claimed. */
export const prebuildsUserId = "c42fdf75-3097-471c-8c33-fb52454d81c0";

/** In decisions, "no organization" is absence: the nil uuid would be one that nobody belongs to. */
const orgOf = (id: string | null): string | undefined => (id === null || id === nilUuid ? undefined : id);

/** A kind with nothing to tell its objects apart by. */
export const bare = (type: string): Kind<unknown> => ({ types: [type], of: () => ({ type }) });

export interface WorkspaceFacts {
  readonly id: string;
  readonly organizationId: string;
  readonly ownerId: string;
  readonly dormantAt: Date | null;
  readonly userAcl: WorkspaceAcl;
  readonly groupAcl: WorkspaceAcl;
}

/** A workspace, and everything below it: builds, resources, agents, apps, logs. Dormant ones have no access lists. */
export const workspace: Kind<WorkspaceFacts> = {
  types: ["workspace", "workspace_dormant"],
  of: ({ id, organizationId: org, ownerId: owner, dormantAt, userAcl, groupAcl }) =>
    dormantAt === null
      ? { type: "workspace", id, org, owner, userAcl: actionsOf(userAcl), groupAcl: actionsOf(groupAcl) }
      : { type: "workspace_dormant", id, org, owner },
  also: ({ id, organizationId: org, ownerId: owner }) =>
    owner === prebuildsUserId ? { type: "prebuilt_workspace", id, org, owner } : undefined,
};

function actionsOf(acl: WorkspaceAcl): Acl {
  return Object.fromEntries(Object.entries(acl).map(([id, entry]) => [id, entry.permissions]));
}

/** A workspace that is not there yet. */
export const newWorkspace: Kind<Pick<WorkspaceFacts, "organizationId" | "ownerId">> = {
  types: ["workspace"],
  of: ({ organizationId: org, ownerId: owner }) => ({ type: "workspace", org, owner }),
};

export interface TemplateFacts {
  /** Null: a version that is not attached to a template yet. */
  readonly id: string | null;
  readonly organizationId: string;
  readonly userAcl: TemplateAcl | null;
  readonly groupAcl: TemplateAcl | null;
}

/** A template, its versions and what they hold. Templates have no owner. */
export const template: Kind<TemplateFacts> = {
  types: ["template"],
  of: ({ id, organizationId, userAcl, groupAcl }) => ({
    type: "template",
    id: id ?? undefined,
    org: organizationId,
    userAcl: userAcl ?? undefined,
    groupAcl: groupAcl ?? undefined,
  }),
};

interface InOrganization {
  readonly organizationId: string;
}

/** Something of that type in an organization, as yet without id: "may I make one here?" */
export const inOrganization = (type: string): Kind<{ readonly organizationId: string | null }> => ({
  types: [type],
  of: ({ organizationId }) => ({ type, org: orgOf(organizationId) }),
});

export const file: Kind<{ readonly id: string; readonly createdBy: string }> = {
  types: ["file"],
  of: ({ id, createdBy: owner }) => ({ type: "file", id, owner }),
};

/** A user with everything personal: settings, ssh key, links. */
export const user: Kind<{ readonly id: string }> = {
  types: ["user"],
  of: ({ id }) => ({ type: "user", id, owner: id }),
};

export const organization: Kind<{ readonly id: string }> = {
  types: ["organization"],
  of: ({ id }) => ({ type: "organization", id, org: id }),
};

export const organizationMember: Kind<InOrganization & { readonly userId: string }> = {
  types: ["organization_member"],
  of: ({ organizationId: org, userId }) => ({ type: "organization_member", id: userId, org, owner: userId }),
};

export const groupMember: Kind<InOrganization & { readonly userId: string }> = {
  types: ["group_member"],
  of: ({ organizationId: org, userId }) => ({ type: "group_member", id: userId, org, owner: userId }),
};

/** Members may read their group, Everyone included. */
export const group: Kind<InOrganization & { readonly id: string }> = {
  types: ["group"],
  of: ({ id, organizationId: org }) => ({ type: "group", id, org, groupAcl: { [id]: ["read"] } }),
};

export const apiKey: Kind<{ readonly id: string; readonly userId: string }> = {
  types: ["api_key"],
  of: ({ id, userId: owner }) => ({ type: "api_key", id, owner }),
};

/** Something personal without id: "may I make one for this user?" */
export const ownedBy = (type: string): Kind<{ readonly userId: string }> => ({
  types: [type],
  of: ({ userId: owner }) => ({ type, owner }),
});

export const auditLog: Kind<InOrganization & { readonly id: string }> = {
  types: ["audit_log"],
  of: ({ id, organizationId }) => ({ type: "audit_log", id, org: orgOf(organizationId) }),
};

/** Daemons and their keys. */
export const provisionerDaemon: Kind<InOrganization & { readonly id: string }> = {
  types: ["provisioner_daemon"],
  of: ({ id, organizationId: org }) => ({ type: "provisioner_daemon", id, org }),
};

export const provisionerJob: Kind<InOrganization> = inOrganization("provisioner_jobs");
export const customRole: Kind<{ readonly organizationId: string | null }> = inOrganization("assign_org_role");
