/** Tar archives, read strictly but for one thing: stock clients do not write the two zero blocks at the end. */
import { type ParsedTarEntryWithData, unpackTar } from "modern-tar";

const blockBytes = 512;

/** All entries. Throws where the archive is cut off inside an entry or a header is broken. */
export async function readTar(archive: Uint8Array): Promise<ParsedTarEntryWithData[]> {
  const whole = archive.length > 0 && archive.length % blockBytes === 0;
  return unpackTar(whole && !endsWithMarker(archive) ? withMarker(archive) : archive, { strict: true });
}

const endsWithMarker = (archive: Uint8Array): boolean =>
  archive.length >= 2 * blockBytes && archive.subarray(-2 * blockBytes).every((byte) => byte === 0);

function withMarker(archive: Uint8Array): Uint8Array {
  const marked = new Uint8Array(archive.length + 2 * blockBytes);
  marked.set(archive);
  return marked;
}
