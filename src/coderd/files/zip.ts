/**
 * Zip archives of template files, read and written in memory. Hostile input: every size is counted while it unpacks,
 * names that leave the archive and links are refused, offsets are checked.
 *
 *   end record (22 bytes + comment), found from the back:
 *     0 "PK\5\6" · 4 disk · 6 disk of directory · 8 entries here · 10 entries · 12 directory size · 16 its offset
 *   directory entry (46 bytes + name + extra + comment):
 *     0 "PK\1\2" · 8 flags · 10 method · 12 DOS time, date · 16 crc · 20 packed · 24 size · 28 name, extra, comment lengths
 *     · 38 attributes (high half: Unix mode) · 42 offset of the local header
 *   local header (30 bytes + name + extra): 0 "PK\3\4" · 26 name, extra lengths, then the packed bytes
 */
import { promisify } from "node:util";
import { crc32, deflateRaw, inflateRaw } from "node:zlib";

export interface ArchiveEntry {
  /** Slashes; a directory's ends with one. */
  readonly name: string;
  readonly mode: number;
  readonly data: Uint8Array;
}

/** Not a zip, or one that we do not take. */
export class BadArchive extends Error {}
/** Unpacks to more than the limit. */
export class ArchiveTooLarge extends Error {}

export interface ZipLimits {
  readonly bytes: number;
  readonly entries: number;
}

const deflating = promisify(deflateRaw);
const inflating = promisify(inflateRaw);

const endSize = 22;
const centralSize = 46;
const localSize = 30;
const encrypted = 1;
const linkType = 0o120000;
const typeMask = 0o170000;

export async function readZip(bytes: Uint8Array, limits: ZipLimits): Promise<ArchiveEntry[]> {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(zip);
  const count = zip.readUInt16LE(end + 10);
  if (count > limits.entries) {
    throw new BadArchive(`the zip has ${count} entries, more than ${limits.entries}`);
  }
  const out: ArchiveEntry[] = [];
  let left = limits.bytes;
  let at = zip.readUInt32LE(end + 16);
  for (let n = 0; n < count; n++) {
    if (at + centralSize > zip.length || zip.readUInt32LE(at) !== 0x02014b50) {
      throw new BadArchive("the zip's directory is broken");
    }
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString("utf8", at + centralSize, at + centralSize + nameLength);
    const entry = await readEntry(zip, at, name, left);
    left -= entry.data.length;
    out.push(entry);
    at += centralSize + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return out;
}

function findEnd(zip: Buffer): number {
  const earliest = Math.max(0, zip.length - endSize - 0xffff);
  for (let at = zip.length - endSize; at >= earliest; at--) {
    if (zip.readUInt32LE(at) === 0x06054b50) return at;
  }
  throw new BadArchive("not a zip archive");
}

async function readEntry(zip: Buffer, at: number, name: string, left: number): Promise<ArchiveEntry> {
  checkName(name);
  const mode = zip.readUInt32LE(at + 38) >>> 16;
  if ((mode & typeMask) === linkType) throw new BadArchive(`${JSON.stringify(name)} is a link`);
  if ((zip.readUInt16LE(at + 8) & encrypted) !== 0) {
    throw new BadArchive(`${JSON.stringify(name)} is encrypted`);
  }
  const size = zip.readUInt32LE(at + 24);
  if (size > left) throw new ArchiveTooLarge("the zip unpacks to more than the limit");
  const data = name.endsWith("/") ? new Uint8Array() : await unpack(zip, at, name, left);
  if (data.length !== size || crc32(data) !== zip.readUInt32LE(at + 16)) {
    throw new BadArchive(`${JSON.stringify(name)} is damaged`);
  }
  return { name, mode: mode & 0o777, data };
}

async function unpack(zip: Buffer, at: number, name: string, left: number): Promise<Uint8Array> {
  const offset = zip.readUInt32LE(at + 42);
  if (offset + localSize > zip.length || zip.readUInt32LE(offset) !== 0x04034b50) {
    throw new BadArchive(`${JSON.stringify(name)} is not where the zip says`);
  }
  const start = offset + localSize + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
  const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
  const method = zip.readUInt16LE(at + 10);
  switch (method) {
    case 0:
      return packed;
    case 8:
      return inflate(packed, name, left);
    default:
      throw new BadArchive(`${JSON.stringify(name)} is packed by method ${method}`);
  }
}

async function inflate(packed: Buffer, name: string, left: number): Promise<Uint8Array> {
  try {
    // Also an empty result needs room for one byte.
    return await inflating(packed, { maxOutputLength: Math.max(left, 1) });
  } catch (error) {
    if (error instanceof RangeError) throw new ArchiveTooLarge("the zip unpacks to more than the limit");
    throw new BadArchive(`${JSON.stringify(name)} does not unpack`, { cause: error });
  }
}

/** Throws on a name that would leave the folder it is unpacked to. */
export function checkName(name: string): void {
  const bad =
    name === "" ||
    name.startsWith("/") ||
    name.includes("\\") ||
    name.includes("\0") ||
    /^[A-Za-z]:/.test(name) ||
    name.split("/").includes("..");
  if (bad) throw new BadArchive(`${JSON.stringify(name)} is no path inside the archive`);
}

/** 1980-01-01, the first day that the format knows. */
const dosDate = 0x21;
/** Names are UTF-8. */
const utf8 = 0x800;

export async function writeZip(entries: readonly ArchiveEntry[]): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, mode, data } of entries) {
    const nameBytes = Buffer.from(name);
    const isDirectory = name.endsWith("/");
    const packed = isDirectory ? Buffer.alloc(0) : await deflating(data);
    const method = isDirectory ? 0 : 8;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(utf8, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt16LE(dosDate, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, nameBytes, packed]);
    const tail = Buffer.alloc(14);
    const type = isDirectory ? 0o040000 : 0o100000;
    tail.writeUInt32LE(((type | mode) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    // Version made by: Unix, so that modes count.
    const made = Buffer.from([20, 3]);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), made, common, tail, nameBytes]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(endSize);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}
