/**
 * Rows for tests, one maker per table: `const user = await dbgen.user(store, { username: "ada" })`. What is not given is
 * random or plain; what another row must exist for is made too, unless its id is given. Whole scenes: ../dbfake.
 */
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { uniqueName } from "#testutil/testutil.ts";
import type { Store } from "../db.ts";
import * as m from "../gen/models.gen.ts";
import { insert } from "./insert.ts";

/** Now, and an id: what most rows begin with. */
const id = (): string => cryptoRand.uuid();
const created = (): { createdAt: Date } => ({ createdAt: realClock.now() });
const stamps = (): { createdAt: Date; updatedAt: Date } => {
  const now = realClock.now();
  return { createdAt: now, updatedAt: now };
};

export function user(store: Store, over: Partial<m.User> = {}): Promise<m.User> {
  const username = over.username ?? uniqueName("user");
  return insert<m.User>(store, "users", m.userColumns, {
    id: id(),
    email: over.isServiceAccount ? "" : `${username}@example.com`,
    username,
    status: "active",
    loginType: over.isServiceAccount ? "none" : "password",
    ...stamps(),
    ...over,
  });
}

export async function organization(
  store: Store,
  over: Partial<m.Organization> = {},
): Promise<m.Organization> {
  const name = over.name ?? uniqueName("org");
  return insert<m.Organization>(store, "organizations", m.organizationColumns, {
    id: id(),
    name,
    displayName: name,
    ...stamps(),
    ...over,
  });
}

async function organizationId(store: Store, given: string | undefined): Promise<string> {
  return given ?? (await store.getDefaultOrganization({})).id;
}

async function userId(store: Store, given: string | undefined): Promise<string> {
  return given ?? (await user(store)).id;
}

export async function organizationMember(
  store: Store,
  over: Partial<m.OrganizationMember> = {},
): Promise<m.OrganizationMember> {
  return insert<m.OrganizationMember>(store, "organization_members", m.organizationMemberColumns, {
    ...stamps(),
    ...over,
    organizationId: await organizationId(store, over.organizationId),
    userId: await userId(store, over.userId),
  });
}

/** Its secret is nobody's: give `hashedSecret` where a test signs in. */
export async function apiKey(store: Store, over: Partial<m.ApiKey> = {}): Promise<m.ApiKey> {
  const now = realClock.now();
  return insert<m.ApiKey>(store, "api_keys", m.apiKeyColumns, {
    id: cryptoRand.string(10),
    hashedSecret: cryptoRand.bytes(32),
    loginType: "password",
    scopes: ["coder:all"],
    tokenName: over.loginType === "token" ? uniqueName("token") : "",
    ipAddress: "127.0.0.1",
    expiresAt: new Date(now.getTime() + 86_400_000),
    ...stamps(),
    ...over,
    userId: await userId(store, over.userId),
  });
}

export async function customRole(store: Store, over: Partial<m.CustomRole> = {}): Promise<m.CustomRole> {
  return insert<m.CustomRole>(store, "custom_roles", m.customRoleColumns, {
    id: id(),
    name: uniqueName("role"),
    ...stamps(),
    ...over,
    organizationId: over.organizationId === null ? null : await organizationId(store, over.organizationId),
  });
}

export async function group(store: Store, over: Partial<m.Group> = {}): Promise<m.Group> {
  return insert<m.Group>(store, "groups", m.groupColumns, {
    id: id(),
    name: uniqueName("group"),
    ...over,
    organizationId: await organizationId(store, over.organizationId),
  });
}

export async function groupMember(store: Store, over: Partial<m.GroupMember> = {}): Promise<m.GroupMember> {
  return insert<m.GroupMember>(store, "group_members", m.groupMemberColumns, {
    groupId: over.groupId ?? (await group(store)).id,
    userId: await userId(store, over.userId),
  });
}

export async function gitSshKey(store: Store, over: Partial<m.GitSshKey> = {}): Promise<m.GitSshKey> {
  return insert<m.GitSshKey>(store, "git_ssh_keys", m.gitSshKeyColumns, {
    privateKey: "private",
    publicKey: "ssh-ed25519 AAAA",
    ...stamps(),
    ...over,
    userId: await userId(store, over.userId),
  });
}

export async function auditLog(store: Store, over: Partial<m.AuditLog> = {}): Promise<m.AuditLog> {
  return insert<m.AuditLog>(store, "audit_logs", m.auditLogColumns, {
    id: id(),
    time: realClock.now(),
    userId: id(),
    resourceType: "user",
    resourceId: id(),
    resourceTarget: "target",
    action: "create",
    statusCode: 200,
    requestId: id(),
    ...over,
    organizationId: await organizationId(store, over.organizationId),
  });
}

export async function file(store: Store, over: Partial<m.File> = {}): Promise<m.File> {
  return insert<m.File>(store, "files", m.fileColumns, {
    id: id(),
    hash: cryptoRand.bytes(32).toString("hex"),
    mimetype: "application/x-tar",
    data: Buffer.alloc(0),
    createdBy: id(),
    ...created(),
    ...over,
  });
}

export async function provisionerKey(
  store: Store,
  over: Partial<m.ProvisionerKey> = {},
): Promise<m.ProvisionerKey> {
  return insert<m.ProvisionerKey>(store, "provisioner_keys", m.provisionerKeyColumns, {
    id: id(),
    name: uniqueName("key"),
    hashedSecret: cryptoRand.bytes(32),
    tags: {},
    ...created(),
    ...over,
    organizationId: await organizationId(store, over.organizationId),
  });
}

/** Tags of a job or daemon that names none. */
export const untagged = { scope: "organization", owner: "" } as const;
/** Id of the key of built-in daemons. */
export const builtInKeyId = "00000000-0000-0000-0000-000000000001";

export async function provisionerDaemon(
  store: Store,
  over: Partial<m.ProvisionerDaemon> = {},
): Promise<m.ProvisionerDaemon> {
  return insert<m.ProvisionerDaemon>(store, "provisioner_daemons", m.provisionerDaemonColumns, {
    id: id(),
    keyId: builtInKeyId,
    name: uniqueName("daemon"),
    provisioners: ["echo", "terraform"],
    tags: untagged,
    lastSeenAt: realClock.now(),
    ...created(),
    ...over,
    organizationId: await organizationId(store, over.organizationId),
  });
}

/** Pending, unless times say more. A build's job needs `workspaceId`. */
export async function provisionerJob(
  store: Store,
  over: Partial<m.ProvisionerJob> = {},
): Promise<m.ProvisionerJob> {
  return insert<m.ProvisionerJob>(store, "provisioner_jobs", m.provisionerJobColumns, {
    id: id(),
    type: over.workspaceId ? "workspace_build" : "template_version_import",
    provisioner: "echo",
    fileId: id(),
    input: {},
    tags: untagged,
    ...stamps(),
    ...over,
    initiatorId: await userId(store, over.initiatorId),
    organizationId: await organizationId(store, over.organizationId),
  });
}

export async function provisionerJobLog(
  store: Store,
  over: Partial<m.ProvisionerJobLog> = {},
): Promise<m.ProvisionerJobLog> {
  return insert<m.ProvisionerJobLog>(store, "provisioner_job_logs", m.provisionerJobLogColumns, {
    source: "provisioner",
    level: "info",
    stage: "Planning",
    output: "a line",
    ...created(),
    ...over,
    jobId: over.jobId ?? (await provisionerJob(store)).id,
  });
}

/** With a finished import job, unless `jobId` is given. */
export async function templateVersion(
  store: Store,
  over: Partial<m.TemplateVersion> = {},
): Promise<m.TemplateVersion> {
  const organization = await organizationId(store, over.organizationId);
  const createdBy = await userId(store, over.createdBy);
  const now = realClock.now();
  const done = { organizationId: organization, initiatorId: createdBy, startedAt: now, completedAt: now };
  return insert<m.TemplateVersion>(store, "template_versions", m.templateVersionColumns, {
    id: id(),
    name: uniqueName("v"),
    ...stamps(),
    ...over,
    organizationId: organization,
    createdBy,
    jobId: over.jobId ?? (await provisionerJob(store, done)).id,
  });
}

/** With a version of its own as the active one, unless `activeVersionId` is given. Everyone may use it. */
export async function template(store: Store, over: Partial<m.Template> = {}): Promise<m.Template> {
  const organization = await organizationId(store, over.organizationId);
  const createdBy = await userId(store, over.createdBy);
  const templateId = over.id ?? id();
  return store.inTx({}, async (tx) => {
    const versionId = over.activeVersionId ?? id();
    const made = await insert<m.Template>(tx, "templates", m.templateColumns, {
      name: uniqueName("template"),
      provisioner: "echo",
      groupAcl: { [organization]: ["read", "use"] },
      ...stamps(),
      ...over,
      id: templateId,
      organizationId: organization,
      createdBy,
      activeVersionId: versionId,
    });
    if (over.activeVersionId === undefined) {
      await templateVersion(tx, { id: versionId, templateId, organizationId: organization, createdBy });
    }
    return made;
  });
}

export async function templateVersionParameter(
  store: Store,
  over: Partial<m.TemplateVersionParameter> & { readonly templateVersionId: string },
): Promise<m.TemplateVersionParameter> {
  return insert<m.TemplateVersionParameter>(
    store,
    "template_version_parameters",
    m.templateVersionParameterColumns,
    {
      name: uniqueName("param"),
      type: "string",
      formType: "input",
      mutable: true,
      defaultValue: "",
      required: false,
      ...over,
    },
  );
}

export async function templateVersionVariable(
  store: Store,
  over: Partial<m.TemplateVersionVariable> & { readonly templateVersionId: string },
): Promise<m.TemplateVersionVariable> {
  return insert<m.TemplateVersionVariable>(
    store,
    "template_version_variables",
    m.templateVersionVariableColumns,
    {
      name: uniqueName("var"),
      type: "string",
      value: "",
      defaultValue: "",
      required: false,
      sensitive: false,
      ...over,
    },
  );
}

export async function preset(
  store: Store,
  over: Partial<m.TemplateVersionPreset> & { readonly templateVersionId: string },
): Promise<m.TemplateVersionPreset> {
  return insert<m.TemplateVersionPreset>(store, "template_version_presets", m.templateVersionPresetColumns, {
    id: id(),
    name: uniqueName("preset"),
    ...created(),
    ...over,
  });
}
