/**
 * Bundles the programs of this clone: `.coder/program/<key>/{start,coder}.mjs` with their chunks and maps. The boot
 * script runs it when the sources are newer than `.coder/program/current`, which holds the key of the newest bundle and
 * carries the time before its sources were read; `./coder` then needs one `find` to know that it may run the bundle.
 *
 * Running programs load chunks late, so a bundle is removed only when no process of this machine names it.
 */
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { root } from "./run.ts";

export const programs = { coder: "src/cmd/coder.ts", start: "src/cmd/start.ts" };

/** Resolves to the key of the bundle. `dir` is the folder of all bundles, `.coder/program` of the clone. */
export async function buildProgram(
  dir: string,
  entries: Readonly<Record<string, string>> = programs,
): Promise<string> {
  mkdirSync(dir, { recursive: true });
  const scratch = join(dir, `new.${process.pid}`);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  // The file system's clock, which is coarser than ours; a little earlier only means one more build.
  const before = statSync(scratch).mtimeMs - 2;
  try {
    await bundle({
      entries,
      outDir: scratch,
      // Relative to the bundle, so that a clone can be moved.
      sourceFolder: (folder) => `(import.meta.dirname + ${JSON.stringify(`/../../../${folder}`)})`,
    });
    const key = keyOf(scratch);
    const target = join(dir, key);
    const known = readdirSync(dir).includes(key);
    if (!known) renameSync(scratch, target);
    const current = join(dir, `current.${process.pid}`);
    writeFileSync(current, `${key}\n`);
    utimesSync(current, before / 1000, before / 1000);
    renameSync(current, join(dir, "current"));
    removeUnused(dir, key);
    return key;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Chunks and maps are named or linked by content, so names and contents of all files are the bundle's identity. */
function keyOf(dir: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(dir).toSorted()) {
    hash.update(`${name}\0`).update(readFileSync(join(dir, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

function removeUnused(dir: string, current: string): void {
  const others = readdirSync(dir).filter((name) => /^[0-9a-f]{16}$/.test(name) && name !== current);
  if (others.length === 0) return;
  const running = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine);
  for (const key of others) {
    if (running.some((line) => line.includes(`/${key}/`))) continue;
    rmSync(join(dir, key), { recursive: true, force: true });
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

if (import.meta.main) await buildProgram(join(root, ".coder/program"));
