/**
 * Builds the dashboard: `site/` → a folder that coderd serves (src/coderd/site). Run by boot before a server starts, by
 * `npm run build` for releases, and by its tests. A stamp of everything that goes in makes the second run a matter of
 * milliseconds; the new folder replaces the old one by a rename, so a running server never sees half of it.
 *
 *     node scripts/build-site.ts [--release] [OUT]        OUT: default `.coder/cache/site/dashboard`
 */
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";
import type { SiteFile, SiteManifest } from "../src/coderd/site/manifest.ts";

const root = resolve(import.meta.dirname, "..");

export interface BuildSiteOptions {
  readonly outDir: string;
  /** Compresses as hard as it can: seconds instead of a tenth. */
  readonly release?: boolean;
}

/** Whether it had to build. */
export async function buildSite({ outDir, release = false }: BuildSiteOptions): Promise<boolean> {
  const stamp = stampOf(release);
  const last = await readFile(join(outDir, "stamp"), "utf8").catch(() => "");
  if (last === stamp) return false;
  const bundled = await build({
    absWorkingDir: root,
    entryPoints: { main: "site/src/main.tsx" },
    outdir: join(root, "out"),
    bundle: true,
    splitting: true,
    write: false,
    minify: true,
    format: "esm",
    target: ["es2022"],
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    loader: { ".svg": "file" },
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  const entry = Object.entries(bundled.metafile.outputs).find(
    ([, output]) => output.entryPoint === "site/src/main.tsx",
  );
  if (entry === undefined) throw new Error("the bundle has no entry point");
  const [script, { cssBundle }] = entry;
  const inline = readFileSync(join(root, "site/theme.js"), "utf8").trim();
  const fresh = `${outDir}.new-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  const files: SiteFile[] = [];
  for (const { path, contents } of bundled.outputFiles) {
    files.push(await put(fresh, relative(join(root, "out"), path), contents, release));
  }
  const icon = readFileSync(join(root, "site/icon.svg"));
  const iconPath = `assets/icon-${hashOf(icon).slice(0, 8)}.svg`;
  files.push(await put(fresh, iconPath, icon, release));
  const index = readFileSync(join(root, "site/index.html"), "utf8")
    .replace("<!--inline-->", () => `<script>${inline}</script>`)
    .replace("{{icon}}", `/${iconPath}`)
    .replace("{{script}}", script.replace(/^out/, ""))
    .replace("{{style}}", (cssBundle ?? "").replace(/^out/, ""));
  await writeFile(join(fresh, "index.html"), index);
  const manifest: SiteManifest = {
    inlineScriptHash: createHash("sha256").update(inline).digest("base64"),
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
  await writeFile(join(fresh, "manifest.json"), JSON.stringify(manifest, undefined, 1));
  await writeFile(join(fresh, "stamp"), stamp);
  await replace(fresh, outDir);
  return true;
}

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

async function put(dir: string, path: string, contents: Uint8Array, release: boolean): Promise<SiteFile> {
  const type = types[extname(path)];
  if (type === undefined) throw new Error(`no media type is known for ${path}`);
  const file = join(dir, path);
  await mkdir(dirname(file), { recursive: true });
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(contents, {
      params: { [constants.BROTLI_PARAM_QUALITY]: release ? 11 : 7 },
    }),
    promisify(gzip)(contents, { level: release ? 9 : 6 }),
  ]);
  await Promise.all([writeFile(file, contents), writeFile(`${file}.br`, br), writeFile(`${file}.gz`, gz)]);
  return { path, type, hash: hashOf(contents).slice(0, 32), bytes: contents.length, gzipBytes: gz.length };
}

const hashOf = (contents: Uint8Array): string => createHash("sha256").update(contents).digest("hex");

/** Hash of all that goes in. */
function stampOf(release: boolean): string {
  const hash = createHash("sha256").update(release ? "release" : "quick");
  const patterns = [
    "site/*.*",
    "site/src/**/*.*",
    "src/codersdk/*.ts",
    "package-lock.json",
    "scripts/build-site.ts",
  ];
  for (const file of globSync(patterns, { cwd: root }).toSorted()) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

async function replace(fresh: string, outDir: string): Promise<void> {
  const old = `${outDir}.old-${process.pid}`;
  await rename(outDir, old).catch(ignoreMissing);
  await rename(fresh, outDir);
  await rm(old, { recursive: true, force: true });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const [out = join(root, ".coder/cache/site/dashboard")] = args.filter((arg) => !arg.startsWith("-"));
  const begin = performance.now();
  const built = await buildSite({ outDir: resolve(out), release: args.includes("--release") });
  if (built) {
    console.error(`The dashboard was built in ${((performance.now() - begin) / 1000).toFixed(1)} s.`);
  }
}
