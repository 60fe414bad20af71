/**
 * What scripts/build-site.ts writes and the server reads: a folder with `manifest.json`, `index.html`, and the files that
 * the manifest names, each also as `<path>.br` and `<path>.gz`. The folder may lie on a disk or inside a program file.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

export interface SiteFile {
  /** `assets/<name>-<hash of the contents>.<ext>`. */
  readonly path: string;
  readonly type: string;
  /** Of the contents. */
  readonly hash: string;
  readonly bytes: number;
  readonly gzipBytes: number;
}

export interface SiteManifest {
  /** SHA-256, base64: what the policy allows besides our own files. */
  readonly inlineScriptHash: string;
  readonly files: readonly SiteFile[];
}

export interface SiteSource {
  /** Undefined if there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
}

/** The first of these folders that holds a dashboard when it is asked for. */
export function firstFolder(dirs: readonly string[]): SiteSource {
  let found: SiteSource | undefined;
  return {
    async read(name) {
      if (found !== undefined && name !== "manifest.json") return found.read(name);
      for (const source of dirs.map(siteFolder)) {
        const manifest = await source.read("manifest.json");
        if (manifest === undefined) continue;
        found = source;
        return name === "manifest.json" ? manifest : source.read(name);
      }
      return undefined;
    },
  };
}

export function siteFolder(dir: string): SiteSource {
  return {
    read: (name) =>
      readFile(join(dir, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
        throw error;
      }),
  };
}
