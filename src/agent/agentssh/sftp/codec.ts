/**
 * Bytes of SFTP version 3 (draft-ietf-secsh-filexfer-02), what every client speaks:
 *
 *     uint32 length · byte type · uint32 id · fields         (INIT and VERSION: uint32 version instead of id)
 *     string = uint32 length · bytes                          paths are bytes: names need not be UTF-8
 *     attrs  = uint32 flags · [uint64 size] · [uint32 uid, gid] · [uint32 mode] · [uint32 atime, mtime] · [pairs]
 */

export const request = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

export const response = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extendedReply: 201,
} as const;

export const status = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const;

export const openFlag = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

const attrFlag = { size: 1, owner: 2, mode: 4, times: 8, extended: 0x8000_0000 } as const;

/** What a client may set, and what we show. Times in seconds. */
export interface Attrs {
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  readonly atime?: number;
  readonly mtime?: number;
}

export class SftpError extends Error {
  override readonly name = "SftpError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Reads fields; throws a BAD_MESSAGE error where the packet is too short. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  /** Offsets and sizes; beyond 2^53 nothing exists. */
  uint64(): number {
    const value = this.#take(8).readBigUInt64BE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new SftpError(status.badMessage, `number too large: ${value}`);
    }
    return Number(value);
  }

  string(): Buffer {
    return this.#take(this.uint32());
  }

  attrs(): Attrs {
    const flags = this.uint32();
    const attrs: { -readonly [K in keyof Attrs]: Attrs[K] } = {};
    if (flags & attrFlag.size) attrs.size = this.uint64();
    if (flags & attrFlag.owner) {
      attrs.uid = this.uint32();
      attrs.gid = this.uint32();
    }
    if (flags & attrFlag.mode) attrs.mode = this.uint32();
    if (flags & attrFlag.times) {
      attrs.atime = this.uint32();
      attrs.mtime = this.uint32();
    }
    return attrs;
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) {
      throw new SftpError(status.badMessage, `packet too short: ${this.#bytes.length} bytes`);
    }
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.trunc(value))));
  return bytes;
}

export function string(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

export function encodeAttrs({ size, uid, gid, mode, atime, mtime }: Required<Attrs>): Buffer {
  return Buffer.concat([
    uint32(attrFlag.size | attrFlag.owner | attrFlag.mode | attrFlag.times),
    uint64(size),
    uint32(uid),
    uint32(gid),
    uint32(mode),
    uint32(atime),
    uint32(mtime),
  ]);
}

export function packet(type: number, ...fields: readonly Buffer[]): Buffer {
  const length = fields.reduce((sum, field) => sum + field.length, 1);
  return Buffer.concat([uint32(length), Buffer.from([type]), ...fields]);
}
