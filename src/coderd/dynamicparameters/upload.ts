/**
 * What is looked at before an uploaded template is imported (spec provisioning §12.5): the tags that choose its daemon,
 * and presets that must stand on their own. Files that cannot be read are left to the import, which says why.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { type PreviewOwner, render, type Rendered } from "#preview/dynamic/render.ts";
import type { PreviewDiagnostic } from "#preview/dynamic/wire.ts";
import { allModules } from "#preview/module/config.ts";
import { loadModule } from "#preview/module/load.ts";
import { ArchiveError, unpackArchive } from "#provisionersdk/archive.ts";
import type { ValidationError } from "#codersdk/response.ts";
import type { Ctx } from "../ctx.ts";
import { Invalid } from "../errors.ts";
import type { Tags } from "../provisionerjobs/tags.ts";
import { templateTags } from "./tags.ts";

export interface Upload {
  /** Tar. */
  readonly archive: Uint8Array;
  readonly owner: PreviewOwner;
  /** Values of template variables. */
  readonly variables: Readonly<Record<string, string>>;
}

const wrongTags = "Unable to parse workspace tags";

/** Tags for the import's job. Throws what is wrong with tags and presets. */
export async function uploadTags(ctx: Ctx, rand: Rand, upload: Upload): Promise<Tags> {
  const form = await renderUpload(ctx, rand, upload);
  if (!form) return {};
  const [first, ...others] = form.diagnostics.filter(({ severity }) => severity === "error");
  if (first) throw new Invalid(wrongTags, { detail: textOf(first, others.length) });
  const tags = templateTags(form.workspace_tags, wrongTags);
  const problems: ValidationError[] = form.presets.flatMap(({ name, diagnostics }) => {
    const [error, ...more] = diagnostics.filter(({ severity }) => severity === "error");
    return error ? [{ field: name, detail: textOf(error, more.length) }] : [];
  });
  if (problems.length > 0) throw new Invalid("Unable to validate presets", { validations: problems });
  return tags;
}

async function renderUpload(
  ctx: Ctx,
  rand: Rand,
  { archive, owner, variables }: Upload,
): Promise<Rendered | undefined> {
  const dir = await mkdtemp(join(tmpdir(), "coder-upload-"));
  try {
    await unpackArchive(archive, dir);
    const root = loadModule(dir);
    const broken = [...allModules(root)].some(({ diagnostics }) =>
      diagnostics.some(({ severity }) => severity === "error"),
    );
    if (broken) return undefined;
    return render({ dir: root.dir, clock: ctx.clock, rand, owner, values: {}, variables }, root);
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const textOf = ({ summary, detail }: PreviewDiagnostic, others: number): string =>
  `${summary}; ${detail}${others > 0 ? `, and ${others} other diagnostic(s)` : ""}`;
