/**
 * Small root file systems to try releases in: a static busybox alone, or the musl C library with its loader and a busybox
 * linked against nothing else. Made from what Debian's busybox-static and musl packages installed. Test only.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface Root extends AsyncDisposable {
  readonly dir: string;
}

const applets =
  "sh cat chmod dd echo env find gzip head id ls mkdir mktemp mv ps rm sleep tar tty uname wget wc".split(
    " ",
  );

/** Gives a reason instead when this machine cannot make one. `dir` must not exist. */
export async function newRoot(kind: "busybox" | "musl", dir: string): Promise<Root | string> {
  if (process.getuid?.() !== 0) return "needs root: it changes into a root file system of its own";
  const busybox = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path));
  if (busybox === undefined || (await isDynamic(busybox))) {
    return "needs a static busybox (Debian: busybox-static)";
  }
  const musl = `/lib/ld-musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`;
  if (kind === "musl" && !existsSync(musl)) return "needs the musl C library (Debian: musl)";
  for (const sub of ["bin", "dev", "etc", "lib", "proc", "root", "tmp", "usr/bin"]) {
    await mkdir(join(dir, sub), { recursive: true });
  }
  await copyFile(busybox, join(dir, "bin/busybox"));
  for (const applet of applets) await symlink("busybox", join(dir, "bin", applet));
  await writeFile(join(dir, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  if (kind === "musl") {
    await mkdir(dirname(join(dir, musl)), { recursive: true });
    await copyFile(musl, join(dir, musl));
    await writeFile(join(dir, "etc/os-release"), "ID=alpine\n");
  }
  const mounts = ["proc", "dev"].map((name) => join(dir, name));
  await mount(["-t", "proc", "proc", join(dir, "proc")]);
  await mount(["--bind", "/dev", join(dir, "dev")]);
  return {
    dir,
    async [Symbol.asyncDispose]() {
      for (const point of mounts) await command("/bin/umount", ["-l", point]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function mount(args: readonly string[]): Promise<void> {
  await command("/bin/mount", args);
}

/** Where mounting is forbidden the root does without. */
async function command(name: string, args: readonly string[]): Promise<void> {
  await once(spawn(name, args, { stdio: "ignore" }), "close");
}

async function isDynamic(file: string): Promise<boolean> {
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(file);
  return bytes.subarray(0, 4096).includes("/ld-");
}
