/**
 * The programs that agents and clients download: files of a folder, `<cache>/site/orig/bin`, into which an admin may put
 * binaries of any platform. What is not there is made when it is first asked for, if this server can (`BinaryMaker`): one
 * attempt at a time, all who ask wait for it. routes.ts serves what this finds.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";

export interface BinaryMaker {
  /** Whether this file, absent or present, should be made now. */
  wants(name: string, dir: string): Promise<boolean>;
  /** Writes `<dir>/<name>`; throws with a reason for people. */
  make(name: string, dir: string): Promise<void>;
}

export type Coding = "identity" | "zstd" | "gzip";

export interface Binary {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Hex, of the uncompressed file. */
  readonly sha1: string;
  readonly modified: Date;
}

export type Found =
  | { readonly kind: "file"; readonly binary: Binary }
  | { readonly kind: "absent" }
  /** Not now, and why. */
  | { readonly kind: "later"; readonly reason: string };

export interface BinariesOptions {
  /** Without one there are no binaries. */
  readonly dir?: string;
  readonly maker?: BinaryMaker;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long a request waits for a file that is being made. */
export const patienceMs = 60_000;
/** After a failed attempt the next request gets its reason; a later one tries again. */
const retryMs = 60_000;
/** Files that are compressed already are sent as they are. */
const worthIt = 0.95;

export class Binaries {
  readonly #options: BinariesOptions;
  readonly #making = new Map<string, Promise<string | undefined>>();
  readonly #failed = new Map<string, { at: number; reason: string }>();
  readonly #known = new Map<string, { size: number; mtimeMs: number; sha1: Promise<string> }>();
  readonly #encoded = new Map<string, Promise<string | undefined>>();

  constructor(options: BinariesOptions) {
    this.#options = options;
  }

  /** Names of what lies there. */
  async list(): Promise<string[]> {
    const { dir } = this.#options;
    const names = dir === undefined ? [] : await readdir(dir).catch(() => []);
    return names.filter((name) => isName(name)).toSorted();
  }

  async find(name: string, signal: AbortSignal): Promise<Found> {
    const { dir } = this.#options;
    if (dir === undefined || !isName(name)) return { kind: "absent" };
    const reason = await this.#made(name, dir, signal);
    const binary = await this.#look(name, dir);
    if (binary !== undefined) return { kind: "file", binary };
    return reason === undefined ? { kind: "absent" } : { kind: "later", reason };
  }

  /** The file in this coding, or undefined where compressing gains nothing. Made once, kept beside. */
  encoded(binary: Binary, coding: Exclude<Coding, "identity">): Promise<string | undefined> {
    const path = join(dirname(binary.path), "../encoded", `${binary.name}-${binary.sha1}.${coding}`);
    const known = this.#encoded.get(path);
    if (known !== undefined) return known;
    const made = encode(binary, coding, path);
    this.#encoded.set(path, made);
    made.catch(() => this.#encoded.delete(path));
    return made;
  }

  /** Resolves when the file is there, or to the reason why not yet. */
  async #made(name: string, dir: string, signal: AbortSignal): Promise<string | undefined> {
    const { maker, clock, log } = this.#options;
    if (maker === undefined) return undefined;
    const failed = this.#failed.get(name);
    if (failed !== undefined && clock.monotonic() - failed.at < retryMs) return failed.reason;
    let making = this.#making.get(name);
    if (making === undefined) {
      making = this.#make(name, dir, maker).catch((error: unknown) => {
        const reason = `${name} could not be made: ${error instanceof Error ? error.message : String(error)}`;
        log.error("a binary could not be made", { name, dir, error });
        this.#failed.set(name, { at: clock.monotonic(), reason });
        return reason;
      });
      this.#making.set(name, making);
      void making.finally(() => this.#making.delete(name));
    }
    const done = new AbortController();
    const late = clock
      .sleep(patienceMs, { signal: AbortSignal.any([signal, done.signal]), tag: "binary", unref: true })
      .then(
        () => `${name} is being made; ask again in a minute`,
        () => undefined,
      );
    try {
      return await Promise.race([making, late]);
    } finally {
      done.abort();
    }
  }

  async #make(name: string, dir: string, maker: BinaryMaker): Promise<undefined> {
    if (!(await maker.wants(name, dir))) return undefined;
    const { clock, log } = this.#options;
    const began = clock.monotonic();
    await mkdir(dir, { recursive: true });
    await maker.make(name, dir);
    log.info("made a binary", { name, dir, ms: Math.round(clock.monotonic() - began) });
    return undefined;
  }

  async #look(name: string, dir: string): Promise<Binary | undefined> {
    const path = join(dir, name);
    // Links are followed: an admin may keep binaries elsewhere.
    const info = await stat(path).catch(() => undefined);
    if (!info?.isFile()) return undefined;
    const { size, mtimeMs, mtime } = info;
    let known = this.#known.get(name);
    if (known === undefined || known.size !== size || known.mtimeMs !== mtimeMs) {
      known = { size, mtimeMs, sha1: sha1Of(path) };
      this.#known.set(name, known);
      known.sha1.catch(() => this.#known.delete(name));
    }
    return { name, path, size, sha1: await known.sha1, modified: mtime };
  }
}

/** A plain name of a finished file: no path, nothing hidden, nothing half written. */
export function isName(name: string): boolean {
  return /^[a-zA-Z0-9][\w.+-]{0,199}$/.test(name) && !name.endsWith(".part");
}

async function sha1Of(path: string): Promise<string> {
  const hash = createHash("sha1");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

async function encode(
  { path, size }: Binary,
  coding: Exclude<Coding, "identity">,
  target: string,
): Promise<string | undefined> {
  const there = await stat(target).catch(() => undefined);
  if (there !== undefined) return there.size < size * worthIt ? target : undefined;
  await mkdir(dirname(target), { recursive: true });
  const scratch = `${target}.${process.pid}.part`;
  const compressor =
    coding === "gzip"
      ? createGzip({ level: 6 })
      : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 6 } });
  try {
    await pipeline(createReadStream(path), compressor, createWriteStream(scratch));
    await rename(scratch, target);
  } finally {
    await rm(scratch, { force: true });
  }
  return (await stat(target)).size < size * worthIt ? target : undefined;
}
