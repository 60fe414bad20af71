/** What SFTP requests do to the file system, with the rights of the agent's user. Paths and names are bytes. */
import { constants, type Dir, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { type Attrs, openFlag, SftpError, status } from "./codec.ts";

export const limits = {
  handles: 1024,
  /** What one READ gives at most. */
  readBytes: 255 * 1024,
  /** Entries of one READDIR. */
  entries: 100,
} as const;

export interface Entry {
  readonly name: Buffer;
  readonly attrs: Required<Attrs>;
}

type Handle =
  | { readonly kind: "file"; readonly file: FileHandle; readonly append: boolean }
  | { readonly kind: "dir"; readonly dir: Dir; readonly path: Buffer };

export class SftpFiles implements AsyncDisposable {
  readonly #start: Buffer;
  readonly #handles = new Map<string, Handle>();
  #next = 0;

  /** Relative paths begin at `start`. */
  constructor(start: string) {
    this.#start = Buffer.from(start);
  }

  async open(path: Buffer, flags: number, attrs: Attrs): Promise<Buffer> {
    this.#room();
    const file = await fs.open(this.#path(path), nodeFlags(flags), (attrs.mode ?? 0o666) & 0o7777);
    return this.#keep({ kind: "file", file, append: (flags & openFlag.append) !== 0 });
  }

  async opendir(path: Buffer): Promise<Buffer> {
    this.#room();
    const at = this.#path(path);
    // Names as bytes in latin1 text: Node's types know no buffer encoding here.
    const dir = await fs.opendir(at, { encoding: "latin1" });
    return this.#keep({ kind: "dir", dir, path: at });
  }

  async close(handle: Buffer): Promise<void> {
    const entry = this.#handles.get(handle.toString("latin1"));
    if (!entry) throw new SftpError(status.failure, "unknown handle");
    this.#handles.delete(handle.toString("latin1"));
    await closeHandle(entry);
  }

  /** Undefined at the end of the file. */
  async read(handle: Buffer, offset: number, length: number): Promise<Buffer | undefined> {
    const { file } = this.#file(handle);
    const buffer = Buffer.allocUnsafe(Math.min(length, limits.readBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    return bytesRead === 0 && length > 0 ? undefined : buffer.subarray(0, bytesRead);
  }

  async write(handle: Buffer, offset: number, data: Buffer): Promise<void> {
    const { file, append } = this.#file(handle);
    for (let done = 0; done < data.length;) {
      const { bytesWritten } = await file.write(
        data,
        done,
        data.length - done,
        append ? null : offset + done,
      );
      done += bytesWritten;
    }
  }

  /** Undefined at the end of the directory. */
  async readdir(handle: Buffer): Promise<Entry[] | undefined> {
    const entry = this.#handles.get(handle.toString("latin1"));
    if (entry?.kind !== "dir") throw new SftpError(status.failure, "not a directory's handle");
    const entries: Entry[] = [];
    while (entries.length < limits.entries) {
      const next = await entry.dir.read();
      if (!next) break;
      const name = Buffer.from(next.name, "latin1");
      try {
        const path = Buffer.concat([entry.path, Buffer.from("/"), name]);
        entries.push({ name, attrs: attrsOf(await fs.lstat(path)) });
      } catch {
        // Removed since it was listed.
      }
    }
    return entries.length === 0 ? undefined : entries;
  }

  async stat(path: Buffer): Promise<Required<Attrs>> {
    return attrsOf(await fs.stat(this.#path(path)));
  }

  async lstat(path: Buffer): Promise<Required<Attrs>> {
    return attrsOf(await fs.lstat(this.#path(path)));
  }

  async fstat(handle: Buffer): Promise<Required<Attrs>> {
    return attrsOf(await this.#file(handle).file.stat());
  }

  async setstat(path: Buffer, attrs: Attrs): Promise<void> {
    const at = this.#path(path);
    if (attrs.size !== undefined) await fs.truncate(at, attrs.size);
    if (attrs.mode !== undefined) await fs.chmod(at, attrs.mode & 0o7777);
    if (attrs.uid !== undefined && attrs.gid !== undefined) await fs.chown(at, attrs.uid, attrs.gid);
    if (attrs.atime !== undefined && attrs.mtime !== undefined) await fs.utimes(at, attrs.atime, attrs.mtime);
  }

  async fsetstat(handle: Buffer, attrs: Attrs): Promise<void> {
    const { file } = this.#file(handle);
    if (attrs.size !== undefined) await file.truncate(attrs.size);
    if (attrs.mode !== undefined) await file.chmod(attrs.mode & 0o7777);
    if (attrs.uid !== undefined && attrs.gid !== undefined) await file.chown(attrs.uid, attrs.gid);
    if (attrs.atime !== undefined && attrs.mtime !== undefined) await file.utimes(attrs.atime, attrs.mtime);
  }

  async fsync(handle: Buffer): Promise<void> {
    await this.#file(handle).file.sync();
  }

  remove(path: Buffer): Promise<void> {
    return fs.unlink(this.#path(path));
  }

  async mkdir(path: Buffer, attrs: Attrs): Promise<void> {
    await fs.mkdir(this.#path(path), { mode: (attrs.mode ?? 0o777) & 0o7777 });
  }

  rmdir(path: Buffer): Promise<void> {
    return fs.rmdir(this.#path(path));
  }

  /** Version 3's rename never replaces; OpenSSH's extension does. */
  async rename(from: Buffer, to: Buffer, options: { readonly replace: boolean }): Promise<void> {
    const target = this.#path(to);
    if (!options.replace) {
      const exists = await fs.lstat(target).then(
        () => true,
        () => false,
      );
      if (exists) throw new SftpError(status.failure, "the target exists");
    }
    await fs.rename(this.#path(from), target);
  }

  link(from: Buffer, to: Buffer): Promise<void> {
    return fs.link(this.#path(from), this.#path(to));
  }

  symlink(target: Buffer, link: Buffer): Promise<void> {
    return fs.symlink(target, this.#path(link));
  }

  readlink(path: Buffer): Promise<Buffer> {
    return fs.readlink(this.#path(path), { encoding: "buffer" });
  }

  /** Absolute and without dots; links stay. */
  realpath(path: Buffer): Buffer {
    const clean = posix.normalize(this.#path(path).toString("latin1"));
    const trimmed = clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
    return Buffer.from(trimmed, "latin1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.allSettled(handles.map(closeHandle));
  }

  #path(path: Buffer): Buffer {
    if (path[0] === 0x2f) return path;
    return path.length === 0 ? this.#start : Buffer.concat([this.#start, Buffer.from("/"), path]);
  }

  #room(): void {
    if (this.#handles.size >= limits.handles) throw new SftpError(status.failure, "too many open files");
  }

  #keep(handle: Handle): Buffer {
    const name = Buffer.from(String(this.#next++));
    this.#handles.set(name.toString("latin1"), handle);
    return name;
  }

  #file(handle: Buffer): Handle & { readonly kind: "file" } {
    const entry = this.#handles.get(handle.toString("latin1"));
    if (entry?.kind !== "file") throw new SftpError(status.failure, "not a file's handle");
    return entry;
  }
}

async function closeHandle(handle: Handle): Promise<void> {
  if (handle.kind === "file") await handle.file.close();
  else await handle.dir.close();
}

function nodeFlags(flags: number): number {
  const read = (flags & openFlag.read) !== 0;
  const write = (flags & (openFlag.write | openFlag.append)) !== 0;
  let out = read && write ? constants.O_RDWR : write ? constants.O_WRONLY : constants.O_RDONLY;
  if (flags & openFlag.append) out |= constants.O_APPEND;
  if (flags & openFlag.create) out |= constants.O_CREAT;
  if (flags & openFlag.truncate) out |= constants.O_TRUNC;
  if (flags & openFlag.exclusive) out |= constants.O_EXCL;
  return out;
}

function attrsOf(stats: Stats): Required<Attrs> {
  const seconds = (ms: number): number => Math.min(0xffff_ffff, Math.max(0, Math.floor(ms / 1000)));
  return {
    size: stats.size,
    uid: stats.uid,
    gid: stats.gid,
    mode: stats.mode,
    atime: seconds(stats.atimeMs),
    mtime: seconds(stats.mtimeMs),
  };
}
