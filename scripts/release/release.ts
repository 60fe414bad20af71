/** One release: the tree, and the self-extracting file that holds it. */
import { globSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { packTar, type TarSource } from "modern-tar/fs";
import { type Member, pack, treeMembers } from "#coderd/bin/pack.ts";
import type { Arch } from "./arch.ts";
import { makeTree } from "./tree.ts";

export interface ReleaseOptions {
  readonly arch: Arch;
  readonly slim: boolean;
  readonly out: string;
  /** Where the unpacked tree goes, as `<trees>/<name>`. */
  readonly trees: string;
  readonly name: string;
  readonly cache: string;
  readonly level: number;
}

export async function release(options: ReleaseOptions): Promise<{ file: string; tree: string }> {
  const { arch, slim, out, trees, name, cache, level } = options;
  const tree = join(trees, name);
  await mkdir(trees, { recursive: true });
  await makeTree({ arch, slim, out: tree, cache });
  const members = await treeMembers(tree);
  const archive = slim ? undefined : await archiveOf(tree, members);
  const file = join(out, name);
  await pack({ tree, arch: arch.go, members, out: file, level, ...(archive && { archive }) });
  return { file, tree };
}

/** What is no member, as a tar; sorted and without times, so that the same tree gives the same bytes. */
async function archiveOf(tree: string, members: readonly Member[]): Promise<Buffer> {
  const listed = new Set(members.map(({ path }) => path));
  const sources = globSync("**", { cwd: tree })
    .filter((path) => statSync(join(tree, path)).isFile() && !listed.has(path))
    .toSorted()
    .map((path): TarSource => ({ type: "file", source: join(tree, path), target: path }));
  const plain = { mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "" };
  return buffer(packTar(sources, { map: (header) => ({ ...header, ...plain }) }));
}
