/**
 * Decides a build (spec lifecycle §4.1): which version, which number, which state, which parameters and tags; or why
 * not. Pure: facts in, plan or ApiError out. build.ts loads the facts and writes the rows.
 */
import type {
  BuildReason,
  ProvisionerJob,
  ProvisionerJobStatus,
  Template,
  TemplateVersion,
  TemplateVersionParameter,
  Workspace,
  WorkspaceTransition,
} from "../database/gen/models.gen.ts";
import { ApiError, Conflict, Invalid } from "../errors.ts";
import { normalizeTags, type Tags } from "../provisionerjobs/tags.ts";
import type { NamedValue } from "./parameters.ts";
import type { BuildValues } from "./values.ts";
import { choosePreset, matchingPreset, type PresetFacts } from "./presets.ts";

export interface BuildRequest {
  readonly transition: WorkspaceTransition;
  /** Default: the version of the last build, else the active one. */
  readonly versionId?: string | undefined;
  readonly presetId?: string | undefined;
  readonly values: readonly NamedValue[];
  readonly reason: BuildReason;
  readonly state?: Uint8Array | undefined;
  /** Forget what was made. */
  readonly orphan?: boolean;
  readonly logLevel?: string;
}

export interface LastBuild {
  readonly id: string;
  readonly number: number;
  readonly versionId: string;
  readonly status: ProvisionerJobStatus;
}

export interface BuildFacts {
  readonly workspace: Workspace;
  readonly template: Template;
  readonly last: LastBuild | undefined;
  readonly version: UsableVersion | undefined;
  readonly parameters: readonly TemplateVersionParameter[];
  readonly lastValues: readonly NamedValue[];
  readonly presets: readonly PresetFacts[];
}

export interface UsableVersion {
  readonly v: TemplateVersion;
  readonly j: ProvisionerJob;
  /** It asks for tags that depend on its parameters. */
  readonly tagged: boolean;
}

export interface BuildPlan {
  readonly buildNumber: number;
  readonly presetId: string | null;
  readonly values: readonly NamedValue[];
  readonly tags: Tags;
  readonly state:
    | { readonly kind: "none" }
    | { readonly kind: "last"; readonly buildId: string }
    | { readonly kind: "given"; readonly bytes: Uint8Array };
}

export function activeBuild(cause?: unknown): Conflict {
  return new Conflict("A workspace build is already active.", {
    detail: "Wait for the build to end, or cancel it.",
    cause,
  });
}

const active: ReadonlySet<ProvisionerJobStatus> = new Set(["pending", "running", "canceling"]);

/** The version that the build will use. */
export function chooseVersion(
  request: BuildRequest,
  template: Template,
  last: LastBuild | undefined,
): string {
  return request.versionId ?? last?.versionId ?? template.activeVersionId;
}

/** What can be said before anything else is loaded. */
export function checkRequest(request: BuildRequest, workspace: Workspace): void {
  const { transition, orphan, state } = request;
  if (workspace.deleted && transition !== "delete") {
    throw new Conflict(`Cannot ${transition} a deleted workspace!`, {
      detail: "A deleted workspace can only be deleted again.",
    });
  }
  if (orphan && transition !== "delete") {
    throw new Invalid("Orphan is only permitted when deleting a workspace.");
  }
  if (orphan && state) {
    throw new Invalid("ProvisionerState cannot be set alongside Orphan since state intent is unclear.");
  }
}

/** Whether there may be such a build now, before its values are looked at. */
export function checkBuild(
  facts: BuildFacts,
  request: BuildRequest,
): { readonly version: UsableVersion; readonly preset: PresetFacts | undefined } {
  checkRequest(request, facts.workspace);
  const version = usableVersion(facts);
  if (facts.last && active.has(facts.last.status)) throw activeBuild();
  return { version, preset: choosePreset(facts.presets, request.presetId) };
}

export function planBuild(
  facts: BuildFacts,
  request: BuildRequest,
  { values, tags }: BuildValues,
): BuildPlan {
  const { workspace, last } = facts;
  const { version, preset } = checkBuild(facts, request);
  return {
    buildNumber: (last?.number ?? 0) + 1,
    presetId: preset?.id ?? matchingPreset(facts.presets, values)?.id ?? null,
    values,
    tags: { ...normalizeTags(workspace.ownerId, version.j.tags), ...tags },
    state: stateOf(request, last),
  };
}

function usableVersion({ version, template }: BuildFacts): UsableVersion {
  if (!version) {
    throw new Invalid("template version does not exist", {
      detail: "No template version has the id that was asked for.",
    });
  }
  const { v, j } = version;
  if (v.templateId !== template.id) throw new Invalid("template version doesn't match template");
  switch (j.jobStatus) {
    case "pending":
    case "running":
      throw new ApiError(
        406,
        "NotAcceptable",
        `The provided template version is ${j.jobStatus}. Wait for it to complete importing!`,
      );
    case "failed":
      throw new Invalid(
        `The provided template version "${v.name}" has failed to import: "${j.error ?? ""}". You cannot build workspaces with it!`,
      );
    case "canceling":
    case "canceled":
      throw new Invalid(
        `The provided template version "${v.name}" was canceled during import. You cannot build workspaces with it!`,
      );
    case "succeeded":
    case "unknown":
      return version;
  }
}

function stateOf(request: BuildRequest, last: LastBuild | undefined): BuildPlan["state"] {
  if (request.state) return { kind: "given", bytes: request.state };
  if (request.orphan || !last) return { kind: "none" };
  return { kind: "last", buildId: last.id };
}
