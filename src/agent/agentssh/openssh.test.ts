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
import { Pty } from "#pty/pty.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
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
  /** ssh in a terminal of its own, after a script that sets it up. */
  interactive(args: readonly string[], script: string): Promise<{ code: number; shown: string }>;
  run(
    program: "ssh" | "sftp" | "scp",
    args: readonly string[],
    input?: string,
    env?: Readonly<Record<string, string>>,
  ): Promise<Result>;
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
    async interactive(args, script) {
      // The modes of this terminal are what the client sends.
      const line = ["ssh", ...common, "-p", port, ...args].map((arg) => `'${arg}'`).join(" ");
      const pty = Pty.start({
        command: "/bin/sh",
        args: ["-c", `${script}; exec ${line}`],
        env: { PATH: "/usr/local/bin:/usr/bin:/bin", TERM: "xterm" },
        cwd: dir,
        clock: realClock,
      });
      t.after(() => pty.destroy());
      let shown = "";
      for await (const chunk of pty) shown += Buffer.from(chunk).toString();
      return { code: (await pty.exited).code, shown };
    },
    run: (program, args, input = "", env = {}) =>
      new Promise((resolve) => {
        const child = execFile(
          `/usr/bin/${program}`,
          [...common, program === "ssh" ? "-p" : "-P", port, ...args],
          { encoding: "latin1", maxBuffer: 1 << 28, timeout: 30_000, env: { ...process.env, ...env } },
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

test("ssh: from a real terminal, whose modes and size arrive", async (t) => {
  const client = await openssh(t);
  if (!client) return;
  const setUp = "stty rows 33 cols 77 erase ^H intr ^T iutf8 -echoctl";
  const done = await client.interactive(["-tt", "u@127.0.0.1", "stty -a; exit 4"], setUp);
  assert.equal(done.code, 4, done.shown);
  assert.match(done.shown, /rows 33; columns 77/u);
  for (const word of ["erase = ^H", "intr = ^T", "-echoctl", " iutf8"]) {
    assert.ok(done.shown.includes(word), word);
  }
});

test("ssh -A: the client's agent answers in the session, and its socket goes with it", async (t) => {
  const client = await openssh(t);
  if (!client) return;
  const local = await tempDir(t);
  const socket = join(local, "agent.sock");
  // An agent with no keys: SSH_AGENT_IDENTITIES_ANSWER, zero of them.
  const fake = createServer((stream) =>
    stream.on("data", () => stream.write(Buffer.from("000000050c00000000", "hex"))),
  );
  await new Promise<void>((resolve) => fake.listen(socket, () => resolve()));
  t.after(() => fake.close());
  const env = { SSH_AUTH_SOCK: socket };
  const args = ["-A", "u@127.0.0.1", "ssh-add -l; echo code $?; echo $SSH_AUTH_SOCK"];
  const done = await client.run("ssh", args, "", env);
  assert.match(done.stdout, /no identities\.\ncode 1\n/u, done.stderr);
  const path = done.stdout.trim().split("\n").at(-1) ?? "";
  assert.match(path, /auth-agent.*listener\.sock$/u);
  await eventually("gone", () => !existsSync(path));
});

test("ssh -X: a display whose connections reach the client's, with its cookie", async (t) => {
  const client = await openssh(t);
  if (!client) return;
  if (!existsSync("/usr/bin/xauth")) return t.skip("OpenSSH needs xauth, which is not on this machine");
  const script =
    "echo $DISPLAY; grep -ao MIT-MAGIC-COOKIE-1 .Xauthority; exec 3<>/dev/tcp/127.0.0.1/$((6000 + ${DISPLAY:10:2})) && echo open";
  const args = ["-Y", "u@127.0.0.1", `bash -c '${script}'`];
  const done = await client.run("ssh", args, "", { DISPLAY: ":97" });
  assert.match(done.stdout, /^localhost:\d+\.0\n.*MIT-MAGIC-COOKIE-1.*open\n$/su, done.stderr);
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
