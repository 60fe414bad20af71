/**
 * Values and tags of a build. A start asks the template's form (dynamicparameters) or, in the classic flow, the stored
 * parameters; a stop or delete that changes nothing keeps what the last build had, so that nothing can stand in its way.
 */
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { Form, Forms } from "../dynamicparameters/forms.ts";
import { resolveDynamic } from "../dynamicparameters/resolve.ts";
import { templateTags } from "../dynamicparameters/tags.ts";
import type { Tags } from "../provisionerjobs/tags.ts";
import { type NamedValue, resolveParameters } from "./parameters.ts";
import type { BuildFacts, BuildRequest, UsableVersion } from "./plan.ts";
import type { PresetFacts } from "./presets.ts";

export interface BuildValues {
  readonly values: readonly NamedValue[];
  /** Of the template, for these values; they go over those of the import. */
  readonly tags: Tags;
}

const wrongTags = "workspace tags validation failed";

export async function buildValues(
  ctx: Ctx,
  tx: AuthzTx,
  forms: Forms,
  build: {
    readonly facts: BuildFacts;
    readonly request: BuildRequest;
    readonly version: UsableVersion;
    readonly preset: PresetFacts | undefined;
  },
): Promise<BuildValues> {
  const { facts, request, version, preset } = build;
  const { workspace, template, last, lastValues, parameters } = facts;
  const target = {
    versionId: version.v.id,
    organizationId: workspace.organizationId,
    ownerId: workspace.ownerId,
  };
  const withForm = <T>(use: (form: Form) => T): Promise<T> => forms.with(ctx, tx, target, use);
  const tagsFor = (values: readonly NamedValue[]): Promise<Tags> =>
    version.tagged
      ? withForm((form) => templateTags(form.render(recordOf(values)).workspace_tags, wrongTags))
      : Promise.resolve({});

  if (keepsValues(facts, request, preset)) {
    const values = withoutEphemeral(facts);
    return { values, tags: await tagsFor(values) };
  }
  const sources = {
    firstBuild: last === undefined,
    request: request.values,
    preset: preset?.values ?? [],
  };
  if (template.useClassicParameterFlow) {
    const values = resolveParameters({ ...sources, parameters, last: lastValues, classic: true });
    return { values, tags: await tagsFor(values) };
  }
  return withForm((form) => {
    if (!form.dynamic) {
      const values = resolveParameters({ ...sources, parameters, last: lastValues, classic: false });
      return { values, tags: {} };
    }
    const { values, form: rendered } = resolveDynamic({
      ...sources,
      render: (given) => form.render(given),
      previous: lastValues,
    });
    return { values, tags: templateTags(rendered.workspace_tags, wrongTags) };
  });
}

function keepsValues({ last }: BuildFacts, request: BuildRequest, preset: PresetFacts | undefined): boolean {
  if (request.transition === "start" || !last) return false;
  const sameVersion = request.versionId === undefined || request.versionId === last.versionId;
  return sameVersion && request.values.length === 0 && preset === undefined;
}

/** An ephemeral value is of one build only: the default stands in. */
function withoutEphemeral({ parameters, lastValues }: BuildFacts): NamedValue[] {
  const ephemeral = new Map(
    parameters
      .filter((parameter) => parameter.ephemeral)
      .map(({ name, defaultValue }) => [name, defaultValue]),
  );
  return lastValues.map(({ name, value }) => ({ name, value: ephemeral.get(name) ?? value }));
}

const recordOf = (values: readonly NamedValue[]): Readonly<Record<string, string>> =>
  Object.fromEntries(values.map(({ name, value }) => [name, value]));
