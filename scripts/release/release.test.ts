import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { root } from "../run.ts";
import { ownArch } from "./arch.ts";
import { release } from "./release.ts";
import { newRoot } from "./rootfs.ts";

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; uid?: number } = {},
): Promise<Run> {
  const { uid } = options;
  const child = spawn(command, args, {
    env: options.env ?? {},
    stdio: ["ignore", "pipe", "pipe"],
    cwd: "/",
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const [[status], stdout, stderr] = await Promise.all([
    once(child, "close"),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { status: typeof status === "number" ? status : null, stdout, stderr };
}

describe("the slim program as one file", { concurrency: false }, () => {
  let dir = "";
  let file = "";
  let tree = "";
  const isRoot = process.getuid?.() === 0;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "coder-release-"));
    await chmod(dir, 0o755);
    const cache = join(root, ".coder/cache/release");
    await mkdir(cache, { recursive: true });
    ({ file, tree } = await release({
      arch: ownArch(),
      slim: true,
      out: dir,
      trees: join(dir, "tree"),
      name: "coder",
      cache,
      level: 1,
    }));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const cacheFolder = (name: string): string => join(dir, "caches", name);
  const inFolder = (name: string): Record<string, string> => ({ CODER_BINARY_CACHE: cacheFolder(name) });

  it("unpacks itself once, and starts without any other program from then on", async () => {
    const first = await run(file, ["--version"], { env: inFolder("once") });
    assert.equal(first.stderr, "");
    assert.match(first.stdout, /^Coder v2\.34\./);
    const [folder = "", ...others] = await readdir(cacheFolder("once"));
    assert.match(folder, /^coder-[0-9a-f]{20}$/);
    assert.deepEqual(others, []);
    const again = await run(file, ["version", "-o", "json"], {
      env: { ...inFolder("once"), PATH: "/nonexistent" },
    });
    assert.equal(JSON.parse(again.stdout).slim, true);
  });

  it("keeps the process: signals, exit status and arguments are the program's own", async () => {
    const bad = await run(file, ["no such", "--x", ""], { env: inFolder("once") });
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /unrecognized subcommand "no such"|unknown flag/);
    const env = { ...inFolder("once"), NODE_OPTIONS: "--no-such-option", NODE_REPL_HISTORY: "" };
    assert.equal((await run(file, ["--version"], { env })).status, 0);
    const child: ChildProcess = spawn(
      file,
      ["agent", "--agent-url", "http://127.0.0.1:1", "--agent-token", "t"],
      {
        env: { ...inFolder("once"), CODER_AGENT_LOG_DIR: dir, CODER_AGENT_SCRIPT_DATA_DIR: dir },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    let log = "";
    await new Promise<void>((started) =>
      child.stderr?.on("data", (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes("ECONNREFUSED")) started();
      }),
    );
    child.kill("SIGTERM");
    const [status] = await once(child, "close");
    assert.equal(status, 0, log);
  });

  it("several first starts at once leave one copy", async () => {
    const runs = await Promise.all([1, 2, 3].map(() => run(file, ["--version"], { env: inFolder("race") })));
    for (const { status, stderr } of runs) assert.deepEqual([status, stderr], [0, ""]);
    assert.equal((await readdir(cacheFolder("race"))).length, 1);
    const [inside = ""] = await readdir(cacheFolder("race"));
    assert.deepEqual((await readdir(join(cacheFolder("race"), inside))).toSorted(), [
      "bin",
      "coder",
      "lib",
      "node_modules",
    ]);
  });

  it("repairs a copy that a cleaner took files from", async () => {
    await run(file, ["--version"], { env: inFolder("cleaned") });
    const [inside = ""] = await readdir(cacheFolder("cleaned"));
    await rm(join(cacheFolder("cleaned"), inside, "lib/libm.so.6"));
    const { status, stderr } = await run(file, ["--version"], { env: inFolder("cleaned") });
    assert.deepEqual([status, stderr], [0, ""]);
    assert.deepEqual(await readdir(cacheFolder("cleaned")), [inside]);
  });

  it("says that a download was cut off", async () => {
    const cut = join(dir, "cut");
    await copyFile(file, cut);
    await truncate(cut, 20_000_000);
    const { status, stderr } = await run(cut, ["--version"], { env: inFolder("cut") });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^coder: this file is incomplete or damaged \(it should have \d+ bytes\): download it again\n$/,
    );
    assert.deepEqual(await readdir(cacheFolder("cut")), []);
  });

  it("passes over folders that are another user's or do not execute", async (t) => {
    if (!isRoot) return t.skip("needs root: it makes files of another user and mounts");
    // Somebody else prepared the very folder: what is in it must not run.
    const trap = cacheFolder("trap");
    await run(file, ["--version"], { env: inFolder("trap") });
    const [inside = ""] = await readdir(trap);
    await writeFile(join(trap, inside, "bin/coder"), "#!/bin/sh\necho trapped\n");
    const home = join(dir, "home");
    await mkdir(home);
    const uid = 4242;
    await chown(home, uid, uid);
    const { stdout } = await run(file, ["--version"], { uid, env: { CODER_BINARY_CACHE: trap, HOME: home } });
    assert.match(stdout, /^Coder v2/);
    assert.equal((await readdir(join(home, ".cache/coder"))).length, 1);

    const noexec = join(dir, "noexec");
    await mkdir(noexec);
    const mounted = await run("/bin/mount", ["-t", "tmpfs", "-o", "noexec,size=300m", "none", noexec]);
    if (mounted.status !== 0) return t.skip(`mount is not allowed here: ${mounted.stderr.trim()}`);
    try {
      const moved = await run(file, ["--version"], {
        env: { CODER_BINARY_CACHE: noexec, HOME: home, XDG_CACHE_HOME: cacheFolder("xdg") },
      });
      assert.match(moved.stdout, /^Coder v2/, moved.stderr);
      assert.equal((await readdir(cacheFolder("xdg") + "/coder")).length, 1);
      assert.deepEqual(await readdir(noexec), []);
    } finally {
      await run("/bin/umount", [noexec]);
    }
    return undefined;
  });

  it("the unpacked tree starts where it lies, also through a link and from a read-only place", async () => {
    await symlink(join(tree, "coder"), join(dir, "link"));
    const { status, stdout } = await run(join(dir, "link"), ["--version"], { env: {} });
    assert.equal(status, 0);
    assert.match(stdout, /^Coder v2/);
  });

  for (const kind of ["busybox", "musl"] as const) {
    it(`runs in a root file system that has nothing but ${kind}`, async (t) => {
      const made = await newRoot(kind, join(dir, kind));
      if (typeof made === "string") return t.skip(made);
      await using rootfs = made;
      await copyFile(file, join(rootfs.dir, "coder"));
      for (const env of [{}, { HOME: "/root", PATH: "/bin" }]) {
        const { status, stdout, stderr } = await run(
          "/usr/sbin/chroot",
          [rootfs.dir, "/coder", "--version"],
          { env },
        );
        assert.equal(status, 0, stderr);
        assert.match(stdout, /^Coder v2/);
      }
      return undefined;
    });
  }
});
