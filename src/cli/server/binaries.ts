/**
 * Who makes the programs that agents download. A clone builds the Linux ones from its sources, in a process of low
 * priority; a release packs itself. Both put a mark beside what they made, so that a file of the administrator's is never
 * replaced and one of an older release or source is.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { join, resolve } from "node:path";
import { isSea } from "node:sea";
import { version } from "#buildinfo/buildinfo.ts";
import type { BinaryMaker } from "#coderd/bin/binaries.ts";
import { pack, treeMembers } from "#coderd/bin/pack.ts";
import type { Logger } from "#slog/slog.ts";

export interface MakerOptions {
  readonly cacheDir: string;
  readonly log: Logger;
}

const clone = resolve(import.meta.dirname, "../../..");
const archs: readonly string[] = ["amd64", "arm64"];
const archOf = (name: string): string | undefined => archs.find((arch) => name === `coder-linux-${arch}`);

/** None where there is nothing to make them from. */
export function binaryMaker(options: MakerOptions): { maker?: BinaryMaker } {
  if (isSea()) return { maker: packingMaker() };
  return existsSync(join(clone, "scripts/build.ts")) ? { maker: buildingMaker(options) } : {};
}

/** The release that runs: its own kind of machine only. */
function packingMaker(): BinaryMaker {
  const tree = resolve(process.execPath, "../..");
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  return marked({
    makes: (name) => archOf(name) === arch,
    source: async () => `${version} ${(await stat(join(tree, "lib/coder.bin"))).mtimeMs}`,
    make: async (name, dir) => {
      await pack({ tree, arch, members: await treeMembers(tree), out: join(dir, name), level: 6 });
    },
  });
}

function buildingMaker({ cacheDir, log }: MakerOptions): BinaryMaker {
  return marked({
    makes: (name) => archOf(name) !== undefined,
    source: async () => `${version} ${await newest(clone)}`,
    make: async (name, dir) => {
      const arch = archOf(name) ?? "";
      const args = ["--slim", "--served-names", "--arch", arch, "--level", "6", "--out", dir];
      const trees = ["--trees", join(dir, "../tree"), "--cache", join(cacheDir, "release")];
      const child = spawn(process.execPath, [join(clone, "scripts/build.ts"), ...args, ...trees], {
        cwd: clone,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let message = "";
      child.stderr.on("data", (chunk: Buffer) => (message = (message + chunk.toString()).slice(-4000)));
      // Nobody who works on this machine should feel it; where that is refused it is only slower for them.
      try {
        if (child.pid !== undefined) setPriority(child.pid, 19);
      } catch (error) {
        log.debug("the build keeps its priority", { error });
      }
      const [status] = await once(child, "close");
      if (status !== 0) throw new Error(lastLine(message) || `the build ended with status ${status}`);
    },
  });
}

/** An error's own line stands above its stack. */
const lastLine = (text: string): string =>
  text.split("\n").findLast((line) => /^\S*(?:Error|error)\b|: /.test(line) && !/^\s/.test(line)) ?? "";

interface Making {
  readonly makes: (name: string) => boolean;
  /** Changes when what it makes would change. */
  readonly source: () => Promise<string>;
  readonly make: (name: string, dir: string) => Promise<void>;
}

/** Looks once in a server's life whether a file is current. */
function marked({ makes, source, make }: Making): BinaryMaker {
  const current = new Set<string>();
  const markOf = (dir: string, name: string): string => join(dir, `.made-${name}`);
  return {
    async wants(name, dir) {
      if (!makes(name) || current.has(name)) return false;
      const file = await stat(join(dir, name)).catch(() => undefined);
      if (file === undefined) return true;
      const [made, from] = (await readFile(markOf(dir, name), "utf8").catch(() => "")).split("\n");
      const stale = made === String(file.mtimeMs) && from !== (await source());
      if (!stale) current.add(name);
      return stale;
    },
    async make(name, dir) {
      const from = await source();
      await make(name, dir);
      const { mtimeMs } = await stat(join(dir, name));
      await writeFile(markOf(dir, name), `${mtimeMs}\n${from}\n`);
      current.add(name);
    },
  };
}

/** When what programs are made of was last changed. */
async function newest(root: string): Promise<number> {
  let time = (await stat(join(root, "package-lock.json"))).mtimeMs;
  for (const folder of ["src", "scripts/release"]) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.name.endsWith(".ts") || entry.name.endsWith(".test.ts")) continue;
      time = Math.max(time, (await stat(join(entry.parentPath, entry.name))).mtimeMs);
    }
  }
  return time;
}
