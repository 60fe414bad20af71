/**
 * The C and C++ libraries that a release carries. Those of this machine for its own kind; for the other kind those of
 * Debian, by its own apt with folders of our own (no root, nothing of the machine changes), or a folder that
 * CODER_BUILD_LIBRARIES_<ARCH> names.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Arch } from "./arch.ts";

export interface Libraries {
  readonly loader: string;
  readonly files: readonly string[];
}

/** What Node and our addons ask for; older C libraries have some of it in files of their own. */
const names = [
  "libc.so.6",
  "libm.so.6",
  "libdl.so.2",
  "libpthread.so.0",
  "libutil.so.1",
  "librt.so.1",
  "libresolv.so.2",
  "libgcc_s.so.1",
  "libstdc++.so.6",
];
/** Since this version the loader takes `--argv0`. */
const oldest = [2, 33] as const;

export async function findLibraries(arch: Arch, cache: string): Promise<Libraries> {
  const named = process.env[`CODER_BUILD_LIBRARIES_${arch.go.toUpperCase()}`];
  if (named !== undefined) return inFolders([named], arch);
  if (arch.node === process.arch) return ofThisMachine(arch);
  const folder = join(cache, `libraries-${arch.go}`);
  if (!existsSync(folder)) await fromDebian(arch, folder);
  const triple = `${arch.gnu}-linux-gnu`;
  return inFolders(
    [`lib/${triple}`, `usr/lib/${triple}`].map((sub) => join(folder, sub)),
    arch,
  );
}

async function inFolders(folders: readonly string[], arch: Arch): Promise<Libraries> {
  const find = (name: string): string => {
    const file = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
    if (file === undefined) throw new Error(`${name} for ${arch.go} is in none of ${folders.join(", ")}`);
    return file;
  };
  return { loader: find(arch.loader), files: names.map(find) };
}

function ofThisMachine(arch: Arch): Promise<Libraries> {
  const report: unknown = process.report.getReport();
  const shared = field(report, "sharedObjects");
  const version = String(field(field(report, "header"), "glibcVersionRuntime"));
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new Error(
      `this machine's C library is ${version}; a release needs ${oldest.join(".")} or newer ` +
        `(build on Debian 12 or the like, or name a folder in CODER_BUILD_LIBRARIES_${arch.go.toUpperCase()})`,
    );
  }
  const loaded = Array.isArray(shared) ? shared.map(String) : [];
  const folders = new Set(loaded.filter((path) => path.startsWith("/")).map((path) => dirname(path)));
  return inFolders([...folders], arch);
}

const field = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;

async function fromDebian(arch: Arch, folder: string): Promise<void> {
  if (!existsSync("/usr/bin/apt-get") || !existsSync("/usr/bin/dpkg-deb")) {
    throw new Error(
      `libraries for ${arch.go} come from Debian, and this machine has no apt: build there, or name a folder that ` +
        `holds ${names[0]} and its kind in CODER_BUILD_LIBRARIES_${arch.go.toUpperCase()}`,
    );
  }
  const scratch = `${folder}.part`;
  await rm(scratch, { recursive: true, force: true });
  const apt = join(scratch, "apt");
  for (const sub of ["state/lists/partial", "cache/archives/partial", "debs", "status"]) {
    await mkdir(join(apt, sub), { recursive: true });
  }
  const options = [
    `APT::Architecture=${arch.go}`,
    `APT::Architectures=${arch.go}`,
    `Dir::State=${apt}/state`,
    `Dir::State::status=/dev/null`,
    `Dir::Cache=${apt}/cache`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  const debs = join(apt, "debs");
  await run("apt-get", [...options, "-qq", "update"], debs);
  await run("apt-get", [...options, "-qq", "download", "libc6", "libgcc-s1", "libstdc++6"], debs);
  for (const deb of await readdir(debs)) await run("dpkg-deb", ["-x", join(debs, deb), scratch], debs);
  await rm(apt, { recursive: true });
  await rename(scratch, folder);
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${command} ${args.at(-1)} failed; its message is above`);
}
