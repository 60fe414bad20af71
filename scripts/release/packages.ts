/** Packages of other machines than this one, in the versions of the lock file: from node_modules, else from the registry. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { unpackTar } from "modern-tar/fs";
import { root } from "../run.ts";

/** Folder of the package's files. `cache` keeps what was downloaded. */
export async function packageFolder(name: string, cache: string): Promise<string> {
  const installed = join(root, "node_modules", name);
  if (existsSync(join(installed, "package.json"))) return installed;
  const { version, integrity } = await locked(name);
  const folder = join(cache, "packages", `${name.replace("/", "+")}-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}.`);
  try {
    const file = join(scratch, await npmPack(`${name}@${version}`, scratch));
    await check(file, integrity);
    await pipeline(createReadStream(file), createGunzip(), unpackTar(join(scratch, "out"), { strip: 1 }));
    await rename(join(scratch, "out"), folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** What package-lock.json says; npm lists the packages of other machines there too. */
async function locked(name: string): Promise<{ version: string; integrity: string }> {
  const lock: unknown = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  const entry = at(at(lock, "packages"), `node_modules/${name}`);
  const version = at(entry, "version");
  const integrity = at(entry, "integrity");
  if (typeof version !== "string" || typeof integrity !== "string") {
    throw new Error(`package-lock.json does not list ${name}`);
  }
  return { version, integrity };
}

const at = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;

/** Gives the file's name. */
async function npmPack(spec: string, dir: string): Promise<string> {
  const child = spawn("npm", ["pack", "--silent", "--pack-destination", dir, spec], {
    cwd: dir,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => ((out += chunk.toString()), done()),
  });
  const [[status]] = await Promise.all([once(child, "close"), pipeline(child.stdout, sink)]);
  if (status !== 0) throw new Error(`npm could not fetch ${spec}; its message is above`);
  return out.trim().split("\n").at(-1) ?? "";
}

async function check(file: string, integrity: string): Promise<void> {
  const [algorithm = "", wanted = ""] = integrity.split(/-(.*)/s);
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  const got = hash.digest("base64");
  if (got !== wanted) {
    throw new Error(`${file} is not what package-lock.json names: ${algorithm} ${got}, expected ${wanted}`);
  }
}
