/** Between the two archive formats. Files are stored as tar; a zip is taken and given on request. */
import { packTar } from "modern-tar";
import { readTar } from "#util/tar.ts";
import { BadArchive, readZip, writeZip, type ZipLimits } from "./zip.ts";

export const archiveLimits: ZipLimits = { bytes: 100 * 1024 * 1024, entries: 10_000 };

/** Throws `BadArchive` or `ArchiveTooLarge`. */
export async function zipToTar(zip: Uint8Array, limits: ZipLimits = archiveLimits): Promise<Uint8Array> {
  const entries = (await readZip(zip, limits)).map(({ name, mode, data }) => {
    const type = name.endsWith("/") ? ("directory" as const) : ("file" as const);
    const fallback = type === "directory" ? 0o755 : 0o644;
    return {
      header: { name, type, mode: mode || fallback, size: data.length, mtime: new Date(0) },
      body: data,
    };
  });
  return packTar(entries);
}

/** Files and directories; a zip cannot say more. Throws `BadArchive`. */
export async function tarToZip(tar: Uint8Array): Promise<Uint8Array> {
  try {
    const entries = await readTar(tar);
    return await writeZip(
      entries
        .filter(({ header }) => header.type === "file" || header.type === "directory")
        .map(({ header, data }) => ({
          name: header.name,
          mode: (header.mode ?? 0o644) & 0o777,
          data: data ?? new Uint8Array(),
        })),
    );
  } catch (error) {
    throw new BadArchive("the stored file is no tar archive", { cause: error });
  }
}
