/**
 * Unpacks template and module archives (tar) for a session (spec provisioning §7). The archive is hostile: nothing is
 * written outside the folder, links and devices are skipped, sizes and counts are bounded and passing a bound is an
 * error, never a silent cut.
 */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { readTar } from "#util/tar.ts";

export interface UnpackLimits {
  /** @default 10 MiB */
  readonly fileBytes?: number;
  /** @default 100 MiB */
  readonly totalBytes?: number;
  /** @default 20_000 */
  readonly entries?: number;
}

/** The archive is broken or breaks a bound. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

interface Entry {
  readonly path: string;
  readonly mode: number;
  /** Undefined for a folder. */
  readonly data: Uint8Array | undefined;
}

/** Folders and files of a tar, with clean relative paths, in the archive's order. Links and devices are left out. */
export async function readArchive(archive: Uint8Array, limits: UnpackLimits = {}): Promise<readonly Entry[]> {
  const {
    fileBytes = 10 * 1024 * 1024,
    totalBytes = 100 * 1024 * 1024,
    entries: maxEntries = 20_000,
  } = limits;
  if (archive.length === 0) return [];
  if (archive.length > totalBytes) throw new ArchiveError(`the archive has more than ${totalBytes} bytes`);
  const parsed = await readTar(archive).catch((cause: unknown) => {
    throw new ArchiveError("the archive is not a tar file", { cause });
  });
  if (parsed.length > maxEntries) throw new ArchiveError(`the archive has more than ${maxEntries} entries`);
  const out: Entry[] = [];
  for (const { header, data } of parsed) {
    if (header.type !== "file" && header.type !== "directory") continue;
    const path = localPath(header.name);
    if (path === undefined) {
      throw new ArchiveError(`refusing to extract to non-local path: ${JSON.stringify(header.name)}`);
    }
    if (path === ".") continue;
    if (data && data.length > fileBytes) throw new ArchiveError(`${path} has more than ${fileBytes} bytes`);
    const mode = (header.mode ?? 0) & 0o777;
    out.push({ path, mode, data: header.type === "file" ? (data ?? new Uint8Array()) : undefined });
  }
  return out;
}

/** Writes the archive into `dir`, over what is there. */
export async function unpackArchive(
  archive: Uint8Array,
  dir: string,
  limits: UnpackLimits = {},
): Promise<void> {
  for (const { path, mode, data } of await readArchive(archive, limits)) {
    const target = join(dir, path);
    if (!data) {
      await mkdir(target, { recursive: true, mode: 0o755 });
      continue;
    }
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, data);
    await chmod(target, mode === 0 ? 0o600 : mode);
  }
}

function localPath(name: string): string | undefined {
  if (name === "" || name.includes("\0") || name.includes("\\") || posix.isAbsolute(name)) return undefined;
  const path = posix.normalize(name).replace(/\/$/, "");
  return path === ".." || path.startsWith("../") ? undefined : path;
}
