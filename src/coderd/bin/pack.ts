/**
 * Packs a release tree into one self-extracting file. Called by the release build, and by a server that offers its own
 * binary to agents. What is written:
 *
 *     shell script, padded │ member │ member │ … │ archive (full binary only)
 *     each a gzip stream that begins and ends at a multiple of 4096 bytes; the padding stands in its header's extra field
 *
 * Members are what every start needs; the archive (a tar) is the rest, which needs `tar` to unpack.
 */
import { createHash } from "node:crypto";
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip, type ZlibOptions } from "node:zlib";
import { blockSize, type PackedMember, selfExtractor } from "./launcher.ts";

const gzipBytes = promisify<Uint8Array, ZlibOptions, Buffer>(gzip);

export interface Member {
  /** In the tree; letters, digits, `/@._-`. */
  readonly path: string;
  readonly mode: number;
}

/** Members of a release tree, the smallest set that runs; the tree of a whole program has more files. */
export async function treeMembers(tree: string): Promise<Member[]> {
  const libraries = (await readdir(join(tree, "lib"))).toSorted();
  const addons = await readdir(join(tree, "node_modules/@lydell"));
  return [
    { path: "coder", mode: 0o755 },
    { path: "bin/coder", mode: 0o755 },
    ...addons.map((name) => ({ path: `node_modules/@lydell/${name}/pty.node`, mode: 0o644 })),
    ...libraries.map((name) => ({ path: `lib/${name}`, mode: name === "coder.bin" ? 0o755 : 0o644 })),
  ];
}

export interface PackOptions {
  readonly tree: string;
  /** In Go's words: `amd64`. */
  readonly arch: string;
  readonly members: readonly Member[];
  /** Uncompressed tar, relative to the tree. */
  readonly archive?: Uint8Array;
  readonly out: string;
  /** zlib's; 9 is half as fast as 6 and saves one per cent. */
  readonly level: number;
  readonly signal?: AbortSignal;
}

/** Writes beside `out` and renames. Gives the size in bytes. */
export async function pack(options: PackOptions): Promise<number> {
  const { tree, arch, members, archive, out, level, signal } = options;
  const unsafe = members.find(({ path }) => !/^[\w@.+/-]+$/.test(path));
  if (unsafe) throw new Error(`a member's path is not plain: received ${JSON.stringify(unsafe.path)}`);
  const hash = createHash("sha256");
  const bodies: Buffer[] = [];
  const compress = async (bytes: Uint8Array): Promise<void> => {
    signal?.throwIfAborted();
    hash.update(String(bytes.length)).update(bytes);
    bodies.push(padded(await gzipBytes(bytes, { level })));
  };
  for (const { path } of members) await compress(await readFile(join(tree, path)));
  if (archive !== undefined) await compress(archive);
  const content = { hash: hash.digest("hex").slice(0, 20), arch };
  const body = bodies.reduce((sum, { length }) => sum + length, 0);

  // The script's length depends on the numbers in it: more room until it fits.
  for (let headerBlocks = 1; ; headerBlocks++) {
    let start = headerBlocks;
    const placed: PackedMember[] = bodies.map(({ length }, index) => {
      const { path, mode } = members[index] ?? { path: "", mode: 0 };
      const blocks = length / blockSize;
      const member = { path, mode, start, blocks };
      start += blocks;
      return member;
    });
    const script = selfExtractor({
      ...content,
      size: headerBlocks * blockSize + body,
      members: placed.slice(0, members.length),
      archive: archive === undefined ? undefined : placed.at(-1),
    });
    const header = Buffer.alloc(headerBlocks * blockSize, "\n");
    if (Buffer.byteLength(script) > header.length) continue;
    header.write(script);
    await writeAll(out, [header, ...bodies]);
    return header.length + body;
  }
}

/** A gzip stream of a multiple of `blockSize` bytes: RFC 1952 §2.3.1.1, FEXTRA behind the ten fixed bytes. */
function padded(stream: Buffer): Buffer {
  if (stream.readUInt16BE(0) !== 0x1f8b || stream[3] !== 0) throw new Error("an unexpected gzip header");
  let extra = blockSize - ((stream.length + 2) % blockSize);
  if (extra < 4) extra += blockSize;
  const out = Buffer.alloc(stream.length + 2 + extra);
  stream.copy(out, 0, 0, 10);
  out[3] = 4;
  out.writeUInt16LE(extra, 10);
  // One subfield of private use that fills the room.
  out.write("CP", 12);
  out.writeUInt16LE(extra - 4, 14);
  stream.copy(out, 12 + extra, 10);
  return out;
}

async function writeAll(path: string, parts: readonly Buffer[]): Promise<void> {
  const scratch = `${path}.part`;
  try {
    await using file = await open(scratch, "w", 0o755);
    for (const part of parts) await file.writeFile(part);
    await file.sync();
    await rename(scratch, path);
  } catch (error) {
    await rm(scratch, { force: true });
    throw error;
  }
}
