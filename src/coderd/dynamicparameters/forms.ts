/**
 * The forms of template versions: what a person may choose, for whom, with which values. Used by the routes below
 * `templateversions/…/dynamic-parameters` and by wsbuilder before every start. One per server.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import { type PreviewOwner, renderForm, type Rendered } from "#preview/dynamic/render.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { actors } from "../rbac/actors.ts";
import { type LoadedVersion, LoadedVersions } from "./loaded.ts";
import { nobody, previewOwner } from "./owner.ts";
import type { Values } from "./resolve.ts";
import { staticForm } from "./static.ts";

export interface FormTarget {
  readonly versionId: string;
  readonly organizationId: string;
  readonly ownerId: string;
}

export interface Form {
  /** False: the stored parameters are all that is known; nothing in them depends on another. */
  readonly dynamic: boolean;
  render(values: Values): Rendered;
}

export class Forms implements AsyncDisposable {
  readonly #rand: Rand;
  readonly #versions = new LoadedVersions();

  constructor(rand: Rand) {
    this.#rand = rand;
  }

  /** Of an imported version. An owner who is no member of the organization is nobody to the template. */
  with<T>(
    ctx: Ctx,
    store: AuthzStore,
    { versionId, organizationId, ownerId }: FormTarget,
    use: (form: Form) => T | Promise<T>,
  ): Promise<T> {
    return this.#versions.with(ctx, store, versionId, async (version) => {
      if (!version) {
        const system = ctx.as(actors.provisionerd, "the stored parameters of a version");
        const parameters = await store.getParametersToBuild(system, { templateVersionId: versionId });
        return use({ dynamic: false, render: (values) => staticForm(parameters, values) });
      }
      const owner = version.usesOwner
        ? await previewOwner(ctx, store, { userId: ownerId, organizationId })
        : undefined;
      return use({ dynamic: true, render: this.#renderer(ctx, version, owner ?? nobody) });
    });
  }

  #renderer(ctx: Ctx, version: LoadedVersion, owner: PreviewOwner): Form["render"] {
    const { dir, root, plan, variables } = version;
    return (values) =>
      renderForm({ dir, clock: ctx.clock, rand: this.#rand, owner, values, variables, plan }, root);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#versions[Symbol.asyncDispose]();
  }
}
