/** The ssh server with clients that we did not write: OpenSSH's ssh, sftp and scp. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { tempDir } from "#testutil/testutil.ts";
import { hostKey } from "./hostkey.ts";
import type { SshOptions } from "./options.ts";
import { SshServer } from "./server.ts";

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface OpenSsh {
  readonly dir: string;
  run(program: "ssh" | "sftp" | "scp", args: readonly string[], input?: string): Promise<Result>;
}

async function openssh(t: TestContext, options: Partial<SshOptions> = {}): Promise<OpenSsh | undefined> {
  if (!["ssh", "sftp", "scp"].every((program) => existsSync(`/usr/bin/${program}`))) {
    t.skip("OpenSSH's clients are not on this machine");
    return undefined;
  }
  const dir = await tempDir(t);
  const server = SshServer.start({
    hostKey: hostKey({ owner: "o", workspace: "w", agent: "a" }),
    clock: realClock,
    log: discardLogger,
    command: ({ text, extra }) => ({
      file: "/bin/sh",
      args: text === "" ? [] : ["-c", text],
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: dir, ...extra },
      cwd: dir,
    }),
    ...options,
  });
  const listener = createServer((socket) => server.serve(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", () => resolve()));
  const address = listener.address();
  assert.ok(address && typeof address === "object");
  t.after(async () => {
    listener.close();
    await server[Symbol.asyncDispose]();
  });
  const port = String(address.port);
  const common = [
    "-F/dev/null",
    "-oStrictHostKeyChecking=no",
    "-oUserKnownHostsFile=/dev/null",
    "-oLogLevel=ERROR",
    "-oBatchMode=yes",
  ];
  return {
    dir,
    run: (program, args, input = "") =>
      new Promise((resolve) => {
        const child = execFile(
          `/usr/bin/${program}`,
          [...common, program === "ssh" ? "-p" : "-P", port, ...args],
          { encoding: "latin1", maxBuffer: 1 << 28, timeout: 30_000 },
          (error, stdout, stderr) => {
            const code = error ? (typeof error.code === "number" ? error.code : -1) : 0;
            resolve({ code, stdout, stderr });
          },
        );
        child.stdin?.end(input);
      }),
  };
}

test("ssh: codes, both streams, input, a terminal", async (t) => {
  const client = await openssh(t);
  if (!client) return;
  const plain = await client.run("ssh", ["u@127.0.0.1", "cat; echo err >&2; exit 7"], "in");
  assert.deepEqual([plain.code, plain.stdout, plain.stderr], [7, "in", "err\n"]);
  assert.equal((await client.run("ssh", ["u@127.0.0.1", "kill -9 $$"])).code, 255);
  const terminal = await client.run("ssh", ["-tt", "u@127.0.0.1", "test -t 0 && echo tty; exit 3"]);
  assert.equal(terminal.code, 3);
  assert.match(terminal.stdout, /tty/u);
  assert.equal((await client.run("ssh", ["-s", "u@127.0.0.1", "nosub"])).code, 255);
});

test("ssh: a megabyte each way arrives whole", async (t) => {
  const client = await openssh(t);
  if (!client) return;
  const bytes = cryptoRand.string(1 << 20);
  const done = await client.run("ssh", ["u@127.0.0.1", "cat"], bytes);
  assert.equal(done.stdout.length, bytes.length);
  assert.equal(done.stdout, bytes);
});

test("sftp: put, get, list, rename, remove, links, folders", async (t) => {
  const client = await openssh(t);
  if (!client) return;
  const local = await tempDir(t);
  const content = cryptoRand.bytes(3 * 1024 * 1024 + 17);
  writeFileSync(join(local, "big"), content);
  const batch = [
    `put ${local}/big up`,
    "mkdir folder",
    "rename up folder/moved",
    "symlink folder/moved link",
    "chmod 600 folder/moved",
    `get link ${local}/back`,
    `get folder/moved ${local}/again`,
    "ls -la folder",
    "mkdir gone",
    "rmdir gone",
    "pwd",
  ].join("\n");
  const done = await client.run("sftp", ["-b", "-", "u@127.0.0.1"], `${batch}\n`);
  assert.equal(done.code, 0, done.stderr);
  const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
  assert.equal(hash(readFileSync(join(local, "back"))), hash(content));
  assert.equal(hash(readFileSync(join(local, "again"))), hash(content));
  assert.match(done.stdout, /-rw-------.*moved/u);
  assert.ok(done.stdout.includes(`Remote working directory: ${client.dir}`));
  assert.equal((await stat(join(client.dir, "folder/moved"))).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(client.dir)).toSorted(), ["folder", "link"]);
  const missing = await client.run("sftp", ["-b", "-", "u@127.0.0.1"], "get nothing\n");
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /not found|No such file/iu);
});

test("scp copies folders over sftp; resume and many small files", async (t) => {
  const client = await openssh(t);
  if (!client) return;
  const local = await tempDir(t);
  await mkdir(join(local, "tree/deep"), { recursive: true });
  for (let at = 0; at < 120; at++) writeFileSync(join(local, "tree/deep", `f${at}`), String(at));
  const done = await client.run("scp", ["-s", "-r", join(local, "tree"), "u@127.0.0.1:copy"]);
  assert.equal(done.code, 0, done.stderr);
  assert.equal((await readdir(join(client.dir, "copy/deep"))).length, 120);
  const whole = cryptoRand.bytes(600_000);
  writeFileSync(join(client.dir, "whole"), whole);
  writeFileSync(join(local, "whole"), whole.subarray(0, 200_000));
  const resumed = await client.run("sftp", ["-b", "-", "u@127.0.0.1"], `get -a whole ${local}/whole\n`);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(await readFile(join(local, "whole")), whole);
});

test("blocked file transfer refuses sftp and says so to scp", async (t) => {
  const client = await openssh(t, { blockFileTransfer: true });
  if (!client) return;
  assert.notEqual((await client.run("sftp", ["-b", "-", "u@127.0.0.1"], "ls\n")).code, 0);
  const scp = await client.run("scp", ["-O", "/etc/hostname", "u@127.0.0.1:x"]);
  assert.notEqual(scp.code, 0);
  assert.match(scp.stderr, /File transfer has been disabled/u);
});
