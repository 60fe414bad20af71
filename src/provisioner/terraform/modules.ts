/** Modules that `terraform init` has fetched: their list, and an archive of them for later builds. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { create } from "@bufbuild/protobuf";
import { packTar, type TarEntry } from "modern-tar";
import { ModuleSchema, type Module } from "#rpc/gen/provisionersdk_pb.js";
import { isRecord } from "./convert/json.ts";

const folder = ".terraform/modules";
const manifest = `${folder}/modules.json`;

/** Modules beyond this do not fit an archive; those that are left out are fetched again by each build. */
const maxArchiveBytes = 20 << 20;

function text(from: Readonly<Record<string, unknown>>, name: string): string {
  const value = from[name];
  return typeof value === "string" ? value : "";
}

function readManifest(json: string): Module[] {
  const parsed: unknown = JSON.parse(json);
  const list = isRecord(parsed) ? parsed["Modules"] : undefined;
  const modules = (Array.isArray(list) ? list.filter(isRecord) : []).map((item) =>
    create(ModuleSchema, {
      key: text(item, "Key"),
      source: text(item, "Source"),
      version: text(item, "Version"),
      dir: text(item, "Dir"),
    }),
  );
  // The entry without a key is the template itself.
  return modules.filter(({ key, source, dir }) => key !== "" && source !== "" && dir !== "");
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Empty where the template has no modules. */
export async function listModules(dir: string): Promise<Module[]> {
  const json = await readIfThere(join(dir, manifest));
  return json ? readManifest(json.toString("utf8")) : [];
}

interface Tree {
  readonly entries: TarEntry[];
  readonly bytes: number;
  readonly files: number;
}

const block = 512;

function entryBytes(size: number): number {
  return block + Math.ceil(size / block) * block;
}

function dirEntry(name: string): TarEntry {
  return {
    header: {
      name: `${name}/`,
      type: "directory",
      mode: 0o755,
      size: 0,
      uid: 1000,
      gid: 1000,
      mtime: new Date(0),
    },
  };
}

function fileEntry(name: string, body: Buffer, mode: number): TarEntry {
  const header = {
    name,
    type: "file" as const,
    mode,
    size: body.length,
    uid: 1000,
    gid: 1000,
    mtime: new Date(0),
  };
  return { header, body };
}

/** Folders and regular files, without what version control left there. Stops reading where it grows too large. */
async function readTree(root: string, dir: string): Promise<Tree> {
  const entries: TarEntry[] = [dirEntry(dir)];
  let bytes = block;
  let files = 0;
  const names = await readdir(join(root, dir), { withFileTypes: true });
  for (const entry of names.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = posix.join(dir, entry.name);
    if (bytes > maxArchiveBytes) break;
    if (entry.isDirectory() && entry.name !== ".git") {
      const below = await readTree(root, path);
      entries.push(...below.entries);
      bytes += below.bytes;
      files += below.files;
    } else if (entry.isFile()) {
      const { size, mode } = await stat(join(root, path));
      bytes += entryBytes(size);
      if (bytes > maxArchiveBytes) break;
      entries.push(fileEntry(path, await readFile(join(root, path)), mode & 0o777));
      files += 1;
    }
  }
  return { entries, bytes, files };
}

/**
 * A tar of what lies below `.terraform/modules`, the smallest modules first; empty where there is none. Two runs over
 * the same files give the same bytes.
 */
export async function archiveModules(dir: string): Promise<Uint8Array> {
  const json = await readIfThere(join(dir, manifest));
  if (!json) return new Uint8Array();
  const dirs = readManifest(json.toString("utf8")).map((module) => posix.normalize(module.dir));
  const roots = new Set(
    dirs.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.split("/").slice(0, 3).join("/")),
  );
  const trees = await Promise.all([...roots].map((path) => readTree(dir, path).catch(() => undefined)));
  const out: TarEntry[] = [];
  let bytes = entryBytes(json.length) + 2 * block;
  for (const tree of trees.filter((one) => one !== undefined).sort((one, other) => one.bytes - other.bytes)) {
    if (bytes + tree.bytes > maxArchiveBytes) break;
    if (tree.files === 0) continue;
    bytes += tree.bytes;
    out.push(...tree.entries);
  }
  if (out.length === 0) return new Uint8Array();
  return packTar([...out, fileEntry(manifest, json, 0o644)]);
}
