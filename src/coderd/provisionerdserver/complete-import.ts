/** The end of a template import: what the version is made of, in one transaction (spec provisioning §6.2). */
import { ParameterFormType, type Preset, type RichParameter } from "#rpc/gen/provisionersdk_pb.js";
import type { CompletedJob_TemplateImport } from "#rpc/gen/provisionerd_pb.js";
import { sha256 } from "#provisionersdk/upload.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { ParameterFormType as FormType, ProvisionerJob } from "../database/gen/models.gen.ts";
import type { DaemonIdentity, ProvisionerdServerDeps } from "./deps.ts";
import { insertModules } from "./modules.ts";
import { inputField } from "./own-job.ts";
import { insertResource } from "./resources.ts";

export async function completeImport(
  ctx: Ctx,
  tx: AuthzTx,
  deps: ProvisionerdServerDeps,
  end: {
    readonly daemon: DaemonIdentity;
    readonly job: ProvisionerJob;
    readonly result: CompletedJob_TemplateImport;
  },
): Promise<void> {
  const { rand } = deps;
  const { job, result, daemon } = end;
  const versionId = inputField(job, "template_version_id");
  for (const transition of ["start", "stop"] as const) {
    const resources = transition === "start" ? result.startResources : result.stopResources;
    for (const resource of resources) {
      await insertResource(
        ctx,
        tx,
        { jobId: job.id, transition, workspaceId: undefined, rand },
        resource,
      ).catch((cause: unknown) => {
        throw wrapped("insert resource", cause);
      });
    }
  }
  await insertModules(ctx, tx, { jobId: job.id, transition: "start", rand }, result.startModules);
  for (const parameter of result.richParameters) await insertParameter(ctx, tx, versionId, parameter);
  for (const preset of result.presets) await insertPreset(ctx, tx, deps, versionId, preset);
  const providers =
    result.externalAuthProviders.length > 0
      ? result.externalAuthProviders.map(({ id, optional }) => ({ id, optional }))
      : result.externalAuthProvidersNames.map((id) => ({ id, optional: false }));
  if (providers.length > 0) {
    await tx.insertVersionExternalAuth(ctx, {
      templateVersionId: versionId,
      providerIds: providers.map(({ id }) => id),
      optionals: providers.map(({ optional }) => optional),
    });
  }
  await tx.updateVersionFlags(ctx, {
    id: versionId,
    hasAiTask: result.hasAiTasks,
    hasExternalAgent: result.hasExternalAgents,
    now: ctx.now(),
  });
  await tx.upsertVersionTerraformValues(ctx, {
    templateVersionId: versionId,
    now: ctx.now(),
    cachedPlan: planOf(result.plan),
    cachedModuleFiles: await moduleFile(ctx, tx, deps, result),
    provisionerdVersion: daemon.apiVersion,
  });
}

function planOf(plan: Uint8Array): unknown {
  if (plan.length === 0) return {};
  try {
    return JSON.parse(Buffer.from(plan).toString("utf8"));
  } catch {
    throw new Error("the plan of the import is not JSON");
  }
}

async function moduleFile(
  ctx: Ctx,
  tx: AuthzTx,
  { rand }: ProvisionerdServerDeps,
  result: CompletedJob_TemplateImport,
): Promise<string | null> {
  if (result.moduleFiles.length > 0) {
    const data = Buffer.from(result.moduleFiles);
    const hash = sha256(data).toString("hex");
    return (await tx.upsertModuleFile(ctx, { id: rand.uuid(), hash, data, createdAt: ctx.now() })).id;
  }
  if (result.moduleFilesHash.length === 0) return null;
  const hash = Buffer.from(result.moduleFilesHash).toString("hex");
  const file = await tx.getModuleFileByHash(ctx, { hash });
  if (!file) throw new Error("the import names module files that were not uploaded");
  return file.id;
}

async function insertParameter(
  ctx: Ctx,
  tx: AuthzTx,
  templateVersionId: string,
  parameter: RichParameter,
): Promise<void> {
  await tx.insertVersionParameter(ctx, {
    templateVersionId,
    name: parameter.name,
    displayName: parameter.displayName,
    description: parameter.description,
    type: parameter.type,
    formType: formType(parameter),
    mutable: parameter.mutable,
    defaultValue: parameter.defaultValue,
    icon: parameter.icon,
    options: parameter.options.map(({ name, description, value, icon }) => ({
      name,
      description,
      value,
      icon,
    })),
    required: parameter.required,
    ephemeral: parameter.ephemeral,
    displayOrder: parameter.order,
    validationRegex: parameter.validationRegex,
    validationMin: parameter.validationMin ?? null,
    validationMax: parameter.validationMax ?? null,
    validationError: parameter.validationError,
    validationMonotonic: parameter.validationMonotonic,
  });
}

const formTypes: Readonly<Record<ParameterFormType, FormType>> = {
  [ParameterFormType.DEFAULT]: "",
  [ParameterFormType.FORM_ERROR]: "error",
  [ParameterFormType.RADIO]: "radio",
  [ParameterFormType.DROPDOWN]: "dropdown",
  [ParameterFormType.INPUT]: "input",
  [ParameterFormType.TEXTAREA]: "textarea",
  [ParameterFormType.SLIDER]: "slider",
  [ParameterFormType.CHECKBOX]: "checkbox",
  [ParameterFormType.SWITCH]: "switch",
  [ParameterFormType.TAGSELECT]: "tag-select",
  [ParameterFormType.MULTISELECT]: "multi-select",
};

function formType(parameter: RichParameter): FormType {
  const type: FormType | undefined = formTypes[parameter.formType];
  if (type !== undefined) return type;
  const known = Object.values(formTypes).filter((name) => name !== "");
  throw new Error(
    `parameter "${parameter.name}" field 'form_type' not valid, currently supported: ${known.join(", ")}`,
  );
}

async function insertPreset(
  ctx: Ctx,
  tx: AuthzTx,
  { rand }: ProvisionerdServerDeps,
  templateVersionId: string,
  preset: Preset,
): Promise<void> {
  const id = rand.uuid();
  const { prebuild } = preset;
  const instances = prebuild?.instances ?? 0;
  await tx.insertVersionPreset(ctx, {
    id,
    templateVersionId,
    name: preset.name,
    description: preset.description,
    icon: preset.icon,
    isDefault: preset.default,
    desiredInstances: instances > 0 ? instances : null,
    invalidateAfterSecs: prebuild?.expirationPolicy?.ttl ?? null,
    schedulingTimezone: prebuild?.scheduling?.timezone ?? "",
    createdAt: ctx.now(),
  });
  await tx.insertVersionPresetParameters(ctx, {
    presetId: id,
    names: preset.parameters.map(({ name }) => name),
    values: preset.parameters.map(({ value }) => value),
  });
  const schedules = prebuild?.scheduling?.schedule ?? [];
  await tx.insertVersionPresetSchedules(ctx, {
    presetId: id,
    cronExpressions: schedules.map(({ cron }) => cron),
    desiredInstances: schedules.map((schedule) => schedule.instances),
  });
}

export function wrapped(what: string, cause: unknown): Error {
  return new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
