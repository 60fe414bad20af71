/**
 * Puts a blob into a Node binary so that Node finds it as the program of a single executable. Called by sea.ts. Node looks
 * for a note named NODE_SEA_BLOB among the mapped notes of its own file, once its fuse says that there is one.
 *
 *     before   header │ segments … │ symbols, sections
 *     after    header │ segments … │ pad │ program headers + 2 │ note header │ blob
 *                e_phoff ────────────────▲ └──────────── one read-only LOAD and a NOTE within it ──┘
 *
 * Symbols and sections are left out: nothing at run time reads them, and they are a seventh of the file. The program
 * header table moves to the end, because there is no room behind the old one. Kernels before 5.18 do not find it there:
 * the result is started through the dynamic loader (launcher.ts), which does.
 *
 * ELF64, little endian: header 64 bytes, e_phoff at 32, e_shoff at 40, e_phentsize 54, e_phnum 56, e_shnum 60, e_shstrndx 62.
 * Program header, 56 bytes: type u32, flags u32, offset u64, vaddr u64, paddr u64, filesz u64, memsz u64, align u64.
 */
const PT_LOAD = 1;
const PT_NOTE = 4;
const PT_PHDR = 6;
const headerSize = 56;
const pageSize = 0x1_0000;
const noteName = Buffer.from("NODE_SEA_BLOB\0\0\0");
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:";

interface Segment {
  type: number;
  flags: number;
  offset: number;
  vaddr: number;
  filesz: number;
  memsz: number;
  align: number;
}

/** Gives a new file; throws when `node` is no 64-bit ELF file with the fuse of single executables. */
export function injectBlob(node: Buffer, blob: Uint8Array): Buffer {
  if (node.length < 64 || node.readUInt32BE(0) !== 0x7f454c46 || node[4] !== 2 || node[5] !== 1) {
    throw new Error("not a 64-bit little-endian ELF file");
  }
  const segments = readSegments(node);
  const loads = segments.filter(({ type }) => type === PT_LOAD);
  const used = Math.max(...loads.map(({ offset, filesz }) => offset + filesz));
  const top = Math.max(...loads.map(({ vaddr, memsz }) => vaddr + memsz));
  const offset = roundUp(used, pageSize);
  const vaddr = roundUp(top, pageSize);
  const tableSize = (segments.length + 2) * headerSize;
  const noteOffset = roundUp(tableSize, 8);
  const noteSize = 12 + noteName.length + roundUp(blob.length, 4);
  const size = noteOffset + noteSize;

  const out = Buffer.alloc(offset + size);
  node.copy(out, 0, 0, used);
  blowFuse(out);
  const place = { flags: 4, offset, vaddr, filesz: size, memsz: size };
  const note = {
    type: PT_NOTE,
    flags: 4,
    offset: offset + noteOffset,
    vaddr: vaddr + noteOffset,
    filesz: noteSize,
    memsz: noteSize,
    align: 4,
  };
  const table = segments.map((segment) =>
    segment.type === PT_PHDR ? { ...segment, ...place, filesz: tableSize, memsz: tableSize } : segment,
  );
  // Loaders demand LOAD segments in the order of their addresses.
  const last = table.findLastIndex(({ type }) => type === PT_LOAD);
  table.splice(last + 1, 0, { type: PT_LOAD, ...place, align: pageSize });
  table.push(note);
  table.forEach((segment, index) => writeSegment(out, offset + index * headerSize, segment));
  out.writeBigUInt64LE(BigInt(offset), 32);
  out.writeBigUInt64LE(0n, 40);
  out.writeUInt16LE(table.length, 56);
  out.writeUInt16LE(0, 60);
  out.writeUInt16LE(0, 62);

  let at = offset + noteOffset;
  at = out.writeUInt32LE("NODE_SEA_BLOB".length + 1, at);
  at = out.writeUInt32LE(blob.length, at);
  at = out.writeUInt32LE(0, at);
  noteName.copy(out, at);
  out.set(blob, at + noteName.length);
  return out;
}

function readSegments(file: Buffer): Segment[] {
  const start = Number(file.readBigUInt64LE(32));
  if (file.readUInt16LE(54) !== headerSize) throw new Error("program headers of an unknown size");
  return Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = start + index * headerSize;
    const long = (offset: number): number => Number(file.readBigUInt64LE(at + offset));
    return {
      type: file.readUInt32LE(at),
      flags: file.readUInt32LE(at + 4),
      offset: long(8),
      vaddr: long(16),
      filesz: long(32),
      memsz: long(40),
      align: long(48),
    };
  });
}

function writeSegment(file: Buffer, at: number, segment: Segment): void {
  file.writeUInt32LE(segment.type, at);
  file.writeUInt32LE(segment.flags, at + 4);
  const { offset, vaddr, filesz, memsz, align } = segment;
  [offset, vaddr, vaddr, filesz, memsz, align].forEach((value, index) =>
    file.writeBigUInt64LE(BigInt(value), at + 8 + index * 8),
  );
}

function blowFuse(file: Buffer): void {
  const at = file.indexOf(fuse);
  if (at < 0) throw new Error("this Node was built without single executables");
  const state = at + fuse.length;
  if (file[state] !== 0x30) throw new Error("this Node already carries a program");
  file[state] = 0x31;
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;
