/**
 * Templates that are ready to be rendered: unpacked once, parsed once, and kept as long as they are among the last that
 * were used. A rendering then costs an evaluation and no I/O. One per server; versions do not change once imported.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allModules, type ModuleConfig } from "#preview/module/config.ts";
import { loadModule } from "#preview/module/load.ts";
import { unpackArchive } from "#provisionersdk/archive.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { TemplateVersionVariable } from "../database/gen/models.gen.ts";
import { actors } from "../rbac/actors.ts";

/** Of an archive's files, and the version's own values. */
export interface LoadedVersion {
  readonly dir: string;
  readonly root: ModuleConfig;
  readonly plan: unknown;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether something in the template depends on who owns the workspace. */
  readonly usesOwner: boolean;
}

/** At most this many templates are kept unpacked. */
const maxKept = 64;
/** The first daemon API whose imports store what forms need. */
const dynamicSince = { major: 1, minor: 6 };

interface Kept {
  readonly version: LoadedVersion | undefined;
  /** Readers that have not finished; the folder stays as long. */
  users: number;
  dropped: boolean;
}

export class LoadedVersions implements AsyncDisposable {
  readonly #kept = new Map<string, Kept>();
  #base: Promise<string> | undefined;
  #next = 0;

  /**
   * Runs `use` with an imported version, whose files stay until it returns. Undefined: this version can be shown by its
   * stored parameters only, because an old daemon imported it or because its files cannot be read here.
   *
   * Each caller loads what is missing by himself, with his own store: a shared load would let one transaction wait for
   * another's.
   */
  async with<T>(
    ctx: Ctx,
    store: AuthzStore,
    versionId: string,
    use: (version: LoadedVersion | undefined) => T | Promise<T>,
  ): Promise<T> {
    const found = this.#kept.get(versionId);
    const kept = found ?? { version: await this.#load(ctx, store, versionId), users: 0, dropped: false };
    kept.users++;
    if (!kept.dropped) this.#keep(versionId, kept);
    try {
      return await use(kept.version);
    } finally {
      kept.users--;
      if (kept.dropped && kept.users === 0) await remove(kept);
    }
  }

  /** The newest stands last. */
  #keep(versionId: string, kept: Kept): void {
    const other = this.#kept.get(versionId);
    if (other && other !== kept) {
      // Somebody else was faster; ours serves its one use.
      kept.dropped = true;
      return;
    }
    this.#kept.delete(versionId);
    this.#kept.set(versionId, kept);
    const [oldest] = this.#kept;
    if (this.#kept.size <= maxKept || !oldest) return;
    this.#kept.delete(oldest[0]);
    oldest[1].dropped = true;
    if (oldest[1].users === 0) void remove(oldest[1]);
  }

  async #load(ctx: Ctx, store: AuthzStore, versionId: string): Promise<LoadedVersion | undefined> {
    const system = ctx.as(actors.provisionerd, "what a version's form is rendered from");
    const version = await store.getVersionToRender(system, { id: versionId });
    if (version?.jobStatus !== "succeeded") throw new Error(`version ${versionId} is not imported`);
    if (!supportsForms(version.provisionerdVersion)) return undefined;
    const file = await store.getFileForJob(system, { id: version.fileId });
    const { cachedModuleFiles: moduleFile } = version;
    const modules = moduleFile ? await store.getFileForJob(system, { id: moduleFile }) : undefined;
    const variables = await store.getVariablesForJob(system, { templateVersionId: versionId });
    const dir = await this.#folder();
    await unpackArchive(file.data, dir);
    if (modules) {
      const target = join(dir, ".terraform/modules");
      await mkdir(target, { recursive: true });
      await unpackArchive(modules.data, target);
    }
    const root = loadModule(dir);
    const configs = [...allModules(root)];
    if (configs.some(({ diagnostics }) => diagnostics.some(({ severity }) => severity === "error"))) {
      // An engine could read it, for it was imported; so what cannot be read is our fault, not the template's.
      ctx.log.warn("a template's files cannot be read for its form", { template_version_id: versionId });
      await rm(dir, { recursive: true, force: true });
      return undefined;
    }
    return {
      dir: root.dir,
      root,
      plan: version.cachedPlan ?? undefined,
      variables: Object.fromEntries(variables.flatMap(variableEntry)),
      usesOwner: configs.some(({ resources }) => resources.has("data.coder_workspace_owner.me")),
    };
  }

  async #folder(): Promise<string> {
    this.#base ??= mkdtemp(join(tmpdir(), "coder-forms-"));
    const dir = join(await this.#base, String(this.#next++));
    await mkdir(dir);
    return dir;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kept.clear();
    if (this.#base) await rm(await this.#base, { recursive: true, force: true });
  }
}

async function remove({ version }: Kept): Promise<void> {
  if (version) await rm(version.dir, { recursive: true, force: true });
}

/** `major.minor` of the daemon API that imported the version. */
export function supportsForms(text: string): boolean {
  const match = /^(\d{1,5})\.(\d{1,5})$/.exec(text);
  if (!match) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > dynamicSince.major || (major === dynamicSince.major && minor >= dynamicSince.minor);
}

/** A variable's value as JSON, by its declared type; an empty value that is no text is none. */
function variableEntry({ name, type, value }: TemplateVersionVariable): [string, unknown][] {
  switch (type) {
    case "string":
      return [[name, value]];
    case "bool":
      return value === "" ? [] : [[name, value === "true"]];
    default:
      try {
        return [[name, JSON.parse(value)]];
      } catch {
        return [];
      }
  }
}
