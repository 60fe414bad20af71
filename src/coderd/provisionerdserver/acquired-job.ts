/**
 * A job's row as the message that a daemon works by (spec provisioning §3.4). What fails here is the job's fault, not
 * the daemon's: acquire.ts ends the job with the message.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AcquiredJobSchema, type AcquiredJob } from "#rpc/gen/provisionerd_pb.js";
import { PrebuiltWorkspaceBuildStage, WorkspaceTransition } from "#rpc/gen/provisionersdk_pb.js";
import type {
  MetadataSchema,
  RichParameterValueSchema,
  VariableValueSchema,
} from "#rpc/gen/provisionersdk_pb.js";
import { makeKey } from "../apikey/apikey.ts";
import type { Ctx } from "../ctx.ts";
import type {
  ProvisionerJob,
  TemplateVersionVariable,
  WorkspaceTransition as Transition,
} from "../database/gen/models.gen.ts";
import type { GetBuildForJobRow } from "../database/gen/provisionerdserver.gen.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import type { ProvisionerdServerDeps } from "./deps.ts";
import { inputField } from "./own-job.ts";

type Type = NonNullable<MessageInitShape<typeof AcquiredJobSchema>["type"]>;

export async function acquiredJob(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  job: ProvisionerJob,
): Promise<AcquiredJob> {
  const file = await deps.store.getFileForJob(ctx, { id: job.fileId });
  const initiator = await deps.store.getUserById(ctx, { id: job.initiatorId });
  return create(AcquiredJobSchema, {
    jobId: job.id,
    createdAt: BigInt(job.createdAt.getTime()),
    provisioner: job.provisioner,
    userName: initiator.username,
    templateSourceArchive: file.data,
    traceMetadata: stringMap(job.traceMetadata),
    type: await jobType(ctx, deps, job),
  });
}

async function jobType(ctx: Ctx, deps: ProvisionerdServerDeps, job: ProvisionerJob): Promise<Type> {
  switch (job.type) {
    case "workspace_build":
      return workspaceBuild(ctx, deps, job);
    case "template_version_import":
      return templateImport(ctx, deps, job);
    case "template_version_dry_run":
      return dryRun(ctx, deps, job);
  }
}

async function workspaceBuild(ctx: Ctx, deps: ProvisionerdServerDeps, job: ProvisionerJob): Promise<Type> {
  const { store, pubsub } = deps;
  const found = await store.getBuildForJob(ctx, { id: inputField(job, "workspace_build_id") });
  const { b: build, w: workspace, v: version } = found;
  const variables = await store.getVariablesForJob(ctx, { templateVersionId: version.id });
  const parameters = await store.getBuildParametersForJob(ctx, {
    buildId: build.id,
    workspaceId: workspace.id,
    previousNumber: build.buildNumber - 1,
  });
  await publishWorkspaceEvent(pubsub, workspace.ownerId, { kind: "state_change", workspaceId: workspace.id });
  const token = await sessionToken(ctx, deps, found);
  return {
    case: "workspaceBuild",
    value: {
      workspaceBuildId: build.id,
      workspaceName: workspace.name,
      richParameterValues: parameters.filter(({ current }) => current).map(toValue),
      previousParameterValues: parameters.filter(({ current }) => !current).map(toValue),
      variableValues: variables.filter(isSet).map(toVariable),
      state: found.previousState ?? new Uint8Array(),
      logLevel: optionalField(job, "log_level"),
      metadata: buildMetadata(deps, found, token),
    },
  };
}

function buildMetadata(
  deps: ProvisionerdServerDeps,
  { b: build, w: workspace, v: version, t: template, o: owner, ...rest }: GetBuildForJobRow,
  token: string,
): MessageInitShape<typeof MetadataSchema> {
  const roles = [
    ...["member", ...owner.rbacRoles].map((name) => ({ name, orgId: "" })),
    ...["organization-member", ...rest.organizationRoles].map((name) => ({
      name,
      orgId: workspace.organizationId,
    })),
  ];
  return {
    coderUrl: deps.accessUrl(),
    workspaceTransition: transitions[build.transition],
    workspaceName: workspace.name,
    workspaceId: workspace.id,
    workspaceOwner: owner.username,
    workspaceOwnerId: owner.id,
    workspaceOwnerName: owner.name,
    workspaceOwnerEmail: owner.email,
    workspaceOwnerGroups: rest.groupNames,
    workspaceOwnerLoginType: owner.loginType,
    workspaceOwnerRbacRoles: roles,
    workspaceOwnerSshPublicKey: rest.sshPublicKey ?? "",
    workspaceOwnerSshPrivateKey: rest.sshPrivateKey ?? "",
    workspaceOwnerSessionToken: token,
    workspaceBuildId: build.id,
    templateId: template.id,
    templateName: template.name,
    templateVersion: version.name,
    templateVersionId: version.id,
    templateVersionModulesFile: template.disableModuleCache ? "" : (rest.cachedModuleFiles ?? ""),
    prebuiltWorkspaceBuildStage: PrebuiltWorkspaceBuildStage.NONE,
  };
}

const transitions: Readonly<Record<Transition, WorkspaceTransition>> = {
  start: WorkspaceTransition.START,
  stop: WorkspaceTransition.STOP,
  delete: WorkspaceTransition.DESTROY,
};

/** A running workspace acts for its owner with a token of its own; it ends with the workspace. */
async function sessionToken(
  ctx: Ctx,
  deps: ProvisionerdServerDeps,
  { b, w }: GetBuildForJobRow,
): Promise<string> {
  const tokenName = `${w.ownerId}_${w.id}_session_token`;
  await deps.store.deleteWorkspaceSessionKeys(ctx, { userId: w.ownerId, tokenName });
  if (b.transition !== "start") return "";
  const { token, row } = makeKey(deps.rand, {
    userId: w.ownerId,
    loginType: "token",
    lifetimeMs: deps.sessionMs,
    now: ctx.now(),
    ip: "",
    tokenName,
  });
  await deps.store.insertApiKey(ctx, row);
  return token;
}

async function templateImport(ctx: Ctx, deps: ProvisionerdServerDeps, job: ProvisionerJob): Promise<Type> {
  const { v: version, activeVersionId } = await deps.store.getVersionForJob(ctx, {
    id: inputField(job, "template_version_id"),
  });
  const given = nameValues(job, "user_variable_values").map(sensitive);
  const named = new Set(given.map(({ name }) => name));
  const inherited =
    activeVersionId === null
      ? []
      : (await deps.store.getVariablesForJob(ctx, { templateVersionId: activeVersionId }))
          .filter(({ name }) => !named.has(name))
          .map(sensitive);
  return {
    case: "templateImport",
    value: {
      userVariableValues: [...given, ...inherited],
      metadata: {
        coderUrl: deps.accessUrl(),
        workspaceOwnerGroups: ["Everyone"],
        templateId: version.templateId ?? "",
        templateVersionId: version.id,
      },
    },
  };
}

async function dryRun(ctx: Ctx, deps: ProvisionerdServerDeps, job: ProvisionerJob): Promise<Type> {
  const versionId = inputField(job, "template_version_id");
  const variables = await deps.store.getVariablesForJob(ctx, { templateVersionId: versionId });
  return {
    case: "templateDryRun",
    value: {
      richParameterValues: nameValues(job, "rich_parameter_values"),
      variableValues: variables.filter(isSet).map(toVariable),
      metadata: {
        coderUrl: deps.accessUrl(),
        workspaceName: optionalField(job, "workspace_name"),
        workspaceOwnerGroups: ["Everyone"],
      },
    },
  };
}

function toValue({
  name,
  value,
}: {
  name: string;
  value: string;
}): MessageInitShape<typeof RichParameterValueSchema> {
  return { name, value };
}

function isSet(variable: TemplateVersionVariable): boolean {
  return variable.value !== "" || variable.defaultValue !== "" || variable.required;
}

function toVariable(variable: TemplateVersionVariable): MessageInitShape<typeof VariableValueSchema> {
  return { name: variable.name, value: variable.value, sensitive: variable.sensitive };
}

function sensitive({ name, value }: { name: string; value: string }) {
  return { name, value, sensitive: true };
}

function optionalField(job: ProvisionerJob, field: string): string {
  const value = inputEntry(job, field);
  return typeof value === "string" ? value : "";
}

function nameValues(job: ProvisionerJob, field: string): { name: string; value: string }[] {
  const list = inputEntry(job, field);
  if (!Array.isArray(list)) return [];
  return list.map((item: unknown) => {
    const { name, value } = stringMap(item);
    return { name: name ?? "", value: value ?? "" };
  });
}

function inputEntry({ input }: ProvisionerJob, field: string): unknown {
  return typeof input === "object" && input !== null
    ? Object.entries(input).find(([key]) => key === field)?.[1]
    : undefined;
}

function stringMap(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}
