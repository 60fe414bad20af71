/**
 * The sftp subsystem on one channel. One request at a time, in order, each answered before the next is read: so a
 * client that asks for more than it takes waits, and memory stays bounded by one packet each way.
 */
import type { Duplex } from "node:stream";
import type { ConnectionOptions, SessionEnd } from "../options.ts";
import { write } from "../pump.ts";
import {
  encodeAttrs,
  FieldReader,
  packet,
  request,
  response,
  SftpError,
  status,
  string,
  uint32,
  uint64,
} from "./codec.ts";
import { type Entry, limits, SftpFiles } from "./files.ts";
import { longName } from "./long-name.ts";

/** Length of a request without its own length field. */
const maxPacket = 256 * 1024 + 1024;

/** Extensions of OpenSSH that we have, with their versions. */
const extensions = [
  ["posix-rename@openssh.com", "1"],
  ["hardlink@openssh.com", "1"],
  ["fsync@openssh.com", "1"],
  ["limits@openssh.com", "1"],
] as const;

export interface SftpOptions extends Pick<ConnectionOptions, "transport"> {
  /** Where relative paths begin. */
  readonly directory: string;
  readonly closed: AbortSignal;
}

/** Resolves at the end of the client's input. A violation of the protocol ends the session with code 1. */
export async function serveSftp(channel: Duplex, options: SftpOptions): Promise<SessionEnd> {
  const { closed, transport } = options;
  await using files = new SftpFiles(options.directory);
  try {
    for await (const bytes of packets(channel)) {
      if (closed.aborted) break;
      await write(channel, await answer(bytes, files), closed);
      if (transport.writableNeedDrain) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            transport.off("drain", done);
            closed.removeEventListener("abort", done);
            resolve();
          };
          transport.once("drain", done);
          closed.addEventListener("abort", done, { once: true });
        });
      }
    }
    return { code: 0, reason: "" };
  } catch (error) {
    return { code: 1, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function* packets(channel: Duplex): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of channel) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32BE();
      if (length < 5 || length > maxPacket) throw new Error(`sftp packet of ${length} bytes`);
      if (rest.length < 4 + length) break;
      yield rest.subarray(4, 4 + length);
      rest = rest.subarray(4 + length);
    }
  }
}

async function answer(bytes: Buffer, files: SftpFiles): Promise<Buffer> {
  const type = bytes.readUInt8();
  if (type === request.init) {
    const pairs = extensions.flatMap(([name, version]) => [string(name), string(version)]);
    return packet(response.version, uint32(3), ...pairs);
  }
  const id = bytes.subarray(1, 5);
  try {
    const fields = await handle(type, new FieldReader(bytes.subarray(5)), files);
    return packet(fields.type, id, ...fields.parts);
  } catch (error) {
    const { code, message } = failure(error);
    return packet(response.status, id, uint32(code), string(message), string("en"));
  }
}

interface Answer {
  readonly type: number;
  readonly parts: readonly Buffer[];
}

const done: Answer = { type: response.status, parts: [uint32(status.ok), string("Success"), string("en")] };
const end: Answer = {
  type: response.status,
  parts: [uint32(status.eof), string("End of file"), string("en")],
};
const handleOf = (name: Buffer): Answer => ({ type: response.handle, parts: [string(name)] });
const after = async (work: Promise<void>): Promise<Answer> => (await work, done);

async function handle(type: number, fields: FieldReader, files: SftpFiles): Promise<Answer> {
  switch (type) {
    case request.open:
      return handleOf(await files.open(fields.string(), fields.uint32(), fields.attrs()));
    case request.close:
      return after(files.close(fields.string()));
    case request.read: {
      const data = await files.read(fields.string(), fields.uint64(), fields.uint32());
      return data ? { type: response.data, parts: [string(data)] } : end;
    }
    case request.write:
      return after(files.write(fields.string(), fields.uint64(), fields.string()));
    case request.lstat:
      return { type: response.attrs, parts: [encodeAttrs(await files.lstat(fields.string()))] };
    case request.fstat:
      return { type: response.attrs, parts: [encodeAttrs(await files.fstat(fields.string()))] };
    case request.stat:
      return { type: response.attrs, parts: [encodeAttrs(await files.stat(fields.string()))] };
    case request.setstat:
      return after(files.setstat(fields.string(), fields.attrs()));
    case request.fsetstat:
      return after(files.fsetstat(fields.string(), fields.attrs()));
    case request.opendir:
      return handleOf(await files.opendir(fields.string()));
    case request.readdir: {
      const entries = await files.readdir(fields.string());
      return entries ? names(entries) : end;
    }
    case request.remove:
      return after(files.remove(fields.string()));
    case request.mkdir:
      return after(files.mkdir(fields.string(), fields.attrs()));
    case request.rmdir:
      return after(files.rmdir(fields.string()));
    case request.realpath:
      return oneName(files.realpath(fields.string()));
    case request.rename:
      return after(files.rename(fields.string(), fields.string(), { replace: false }));
    case request.readlink:
      return oneName(await files.readlink(fields.string()));
    case request.symlink:
      // Every client sends the target first, as OpenSSH does, whatever the draft says.
      return after(files.symlink(fields.string(), fields.string()));
    case request.extended:
      return extended(fields.string().toString("latin1"), fields, files);
    default:
      throw new SftpError(status.unsupported, `request ${type} is not supported`);
  }
}

async function extended(name: string, fields: FieldReader, files: SftpFiles): Promise<Answer> {
  switch (name) {
    case "posix-rename@openssh.com":
      return after(files.rename(fields.string(), fields.string(), { replace: true }));
    case "hardlink@openssh.com":
      return after(files.link(fields.string(), fields.string()));
    case "fsync@openssh.com":
      return after(files.fsync(fields.string()));
    case "limits@openssh.com": {
      const values = [maxPacket, limits.readBytes, limits.readBytes, limits.handles];
      return { type: response.extendedReply, parts: values.map(uint64) };
    }
    default:
      throw new SftpError(status.unsupported, `extension ${name} is not supported`);
  }
}

function names(entries: readonly Entry[]): Answer {
  const parts = entries.flatMap(({ name, attrs }) => [
    string(name),
    string(longName(name, attrs)),
    encodeAttrs(attrs),
  ]);
  return { type: response.name, parts: [uint32(entries.length), ...parts] };
}

/** REALPATH and READLINK: a name with empty attributes. */
function oneName(name: Buffer): Answer {
  return { type: response.name, parts: [uint32(1), string(name), string(name), uint32(0)] };
}

const codes: Readonly<Record<string, number>> = {
  ENOENT: status.noSuchFile,
  ENOTDIR: status.noSuchFile,
  EACCES: status.permissionDenied,
  EPERM: status.permissionDenied,
  EROFS: status.permissionDenied,
};

function failure(error: unknown): { readonly code: number; readonly message: string } {
  if (error instanceof SftpError) return error;
  if (!(error instanceof Error)) return { code: status.failure, message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? codes[error.code] : undefined;
  return { code: code ?? status.failure, message: error.message };
}
