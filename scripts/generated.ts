/** Generated files: written, or in a check compared with what is there. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./run.ts";

export interface GenOptions {
  /** Compare instead of write. */
  readonly check: boolean;
}

/** `files`: path from the clone's root → content. Returns the paths that differed (in a check) or were written. */
export function emit(files: ReadonlyMap<string, string>, { check }: GenOptions): string[] {
  const stale: string[] = [];
  for (const [path, content] of files) {
    const file = join(root, path);
    if (existsSync(file) && readFileSync(file, "utf8") === content) continue;
    stale.push(path);
    if (check) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return stale;
}
