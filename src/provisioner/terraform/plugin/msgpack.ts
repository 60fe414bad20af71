/**
 * The part of MessagePack that Terraform's values use: nil, bool, numbers, str, array, map, and extension types, which
 * all mean "unknown" (we send `d4 00 00`; Terraform also sends refined unknowns, code 12).
 *
 *     fixint 00–7f e0–ff · fixmap 8x · fixarray 9x · fixstr a0–bf · nil c0 · false c2 · true c3 · ext c7–c9 d4–d8
 *     float32 ca · float64 cb · uint cc–cf · int d0–d3 · str d9–db · array dc dd · map de df (bin c4–c6 as str)
 */
import { isAttributes } from "../../coderprovider/define.ts";
import { unknown, type Json } from "../../coderprovider/types.ts";

/** Deeper values than any schema has. */
const maxDepth = 128;

class Writer {
  readonly #parts: Buffer[] = [];

  bytes(...values: readonly number[]): void {
    this.#parts.push(Buffer.from(values));
  }

  /** A marker and a big-endian number of `size` bytes after it. */
  sized(marker: number, value: number, size: 1 | 2 | 4): void {
    const out = Buffer.alloc(1 + size);
    out[0] = marker;
    out.writeUIntBE(value, 1, size);
    this.#parts.push(out);
  }

  push(part: Buffer): void {
    this.#parts.push(part);
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function writeNumber(out: Writer, value: number): void {
  if (Number.isInteger(value) && value >= -32 && value < 128) return out.bytes(value & 0xff);
  const part = Buffer.alloc(9);
  if (Number.isSafeInteger(value)) {
    part[0] = 0xd3;
    part.writeBigInt64BE(BigInt(value), 1);
  } else {
    part[0] = 0xcb;
    part.writeDoubleBE(value, 1);
  }
  out.push(part);
}

/** Header of a str, array or map: the short form up to `limit`, else 16 or 32 bits of length. */
function writeLength(out: Writer, length: number, short: number, limit: number, long: number): void {
  if (length < limit) out.bytes(short | length);
  else if (length < 0x1_0000) out.sized(long, length, 2);
  else out.sized(long + 1, length, 4);
}

function writeString(out: Writer, value: string): void {
  const data = Buffer.from(value, "utf8");
  if (data.length >= 32 && data.length < 256) out.sized(0xd9, data.length, 1);
  else writeLength(out, data.length, 0xa0, 32, 0xda);
  out.push(data);
}

function write(out: Writer, value: Json): void {
  if (value === null) return out.bytes(0xc0);
  if (value === unknown) return out.bytes(0xd4, 0, 0);
  if (typeof value === "boolean") return out.bytes(value ? 0xc3 : 0xc2);
  if (typeof value === "number") return writeNumber(out, value);
  if (typeof value === "string") return writeString(out, value);
  if (isAttributes(value)) {
    const members = Object.entries(value);
    writeLength(out, members.length, 0x80, 16, 0xde);
    for (const [name, member] of members) {
      writeString(out, name);
      write(out, member);
    }
    return;
  }
  const list: readonly Json[] = Array.isArray(value) ? value : [];
  writeLength(out, list.length, 0x90, 16, 0xdc);
  for (const item of list) write(out, item);
}

export function encodeMsgpack(value: Json): Buffer {
  const out = new Writer();
  write(out, value);
  return out.done();
}

class Reader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }

  get left(): number {
    return this.#data.length - this.#at;
  }

  take(length: number): Buffer {
    if (length > this.left) {
      throw new Error(`a MessagePack value ends early: ${length} bytes of ${this.left}`);
    }
    this.#at += length;
    return this.#data.subarray(this.#at - length, this.#at);
  }

  uint(size: 1 | 2 | 4): number {
    return this.take(size).readUIntBE(0, size);
  }
}

/** Numbers beyond 2^53 lose digits: no attribute of ours holds such. */
function readNumber(from: Reader, marker: number): number | undefined {
  switch (marker) {
    case 0xca:
      return from.take(4).readFloatBE();
    case 0xcb:
      return from.take(8).readDoubleBE();
    case 0xcc:
      return from.uint(1);
    case 0xcd:
      return from.uint(2);
    case 0xce:
      return from.uint(4);
    case 0xcf:
      return Number(from.take(8).readBigUInt64BE());
    case 0xd0:
      return from.take(1).readInt8();
    case 0xd1:
      return from.take(2).readInt16BE();
    case 0xd2:
      return from.take(4).readInt32BE();
    case 0xd3:
      return Number(from.take(8).readBigInt64BE());
    default:
      return undefined;
  }
}

/** Length of a str (bin too), or undefined where the marker is none. */
function stringLength(from: Reader, marker: number): number | undefined {
  if (marker >= 0xa0 && marker <= 0xbf) return marker & 0x1f;
  if (marker === 0xd9 || marker === 0xc4) return from.uint(1);
  if (marker === 0xda || marker === 0xc5) return from.uint(2);
  return marker === 0xdb || marker === 0xc6 ? from.uint(4) : undefined;
}

/** Payload of an extension, type byte included. */
function extensionLength(from: Reader, marker: number): number | undefined {
  if (marker >= 0xd4 && marker <= 0xd8) return 1 + 2 ** (marker - 0xd4);
  if (marker === 0xc7) return 1 + from.uint(1);
  if (marker === 0xc8) return 1 + from.uint(2);
  return marker === 0xc9 ? 1 + from.uint(4) : undefined;
}

function collectionLength(from: Reader, marker: number, short: number, long: number): number | undefined {
  if ((marker & 0xf0) === short) return marker & 0x0f;
  const length = marker === long ? from.uint(2) : marker === long + 1 ? from.uint(4) : undefined;
  // Each element takes a byte at least: a length that cannot be true is refused before memory is taken for it.
  if (length !== undefined && length > from.left) {
    throw new Error(`a MessagePack collection ends early: ${length}`);
  }
  return length;
}

function read(from: Reader, depth: number): Json {
  if (depth > maxDepth) throw new Error(`a MessagePack value is nested deeper than ${maxDepth}`);
  const marker = from.uint(1);
  if (marker < 0x80) return marker;
  if (marker >= 0xe0) return marker - 0x100;
  if (marker === 0xc0) return null;
  if (marker === 0xc2 || marker === 0xc3) return marker === 0xc3;
  const text = stringLength(from, marker);
  if (text !== undefined) return from.take(text).toString("utf8");
  const items = collectionLength(from, marker, 0x90, 0xdc);
  if (items !== undefined) return Array.from({ length: items }, () => read(from, depth + 1));
  const members = collectionLength(from, marker, 0x80, 0xde);
  if (members !== undefined) return readMap(from, members, depth);
  const extension = extensionLength(from, marker);
  if (extension !== undefined) {
    from.take(extension);
    return unknown;
  }
  const number = readNumber(from, marker);
  if (number === undefined) {
    throw new Error(`a MessagePack value has the unknown marker 0x${marker.toString(16)}`);
  }
  return number;
}

function readMap(from: Reader, length: number, depth: number): Json {
  const members: [string, Json][] = [];
  for (let i = 0; i < length; i++) {
    const name = read(from, depth + 1);
    if (typeof name !== "string") throw new Error("a MessagePack map has a key that is no string");
    members.push([name, read(from, depth + 1)]);
  }
  return Object.fromEntries(members);
}

/** Throws an Error that names what is malformed. Bytes after the value are an error. */
export function decodeMsgpack(data: Uint8Array): Json {
  const from = new Reader(data);
  const value = read(from, 0);
  if (from.left > 0) throw new Error(`${from.left} bytes follow a MessagePack value`);
  return value;
}
