import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { eventually, repoRoot, tempDir } from "#testutil/testutil.ts";
import { BootError, checkPlatform, cloneEnvironment, currentProgram, findNode, nodeFits } from "./boot.mjs";

/** Takes the source as it is for a bundle, and counts; a source that says so cannot be bundled. */
const fakeBundler = `
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
const root = import.meta.dirname + "/..";
const since = (Date.now() - 20) / 1000;
const text = readFileSync(root + "/src/cmd/start.ts", "utf8");
if (text.includes("cannot be bundled")) throw new Error("no bundle of this");
const key = createHash("sha256").update(text).digest("hex").slice(0, 16);
mkdirSync(root + "/.coder/program/" + key, { recursive: true });
writeFileSync(root + "/.coder/program/" + key + "/start.mjs", text);
writeFileSync(root + "/.coder/program/current", key);
utimesSync(root + "/.coder/program/current", since, since);
appendFileSync(root + "/bundles.made", key + "\\n");
`;

/** A clone whose `start` is `program`, and an npm that notes its calls and "installs" this Node. */
async function fakeClone(
  t: TestContext,
  program: string,
  npm = "",
): Promise<{ dir: string; boot: (...args: string[]) => Boot }> {
  const dir = await tempDir(t);
  mkdirSync(join(dir, "scripts"));
  mkdirSync(join(dir, "src/cmd"), { recursive: true });
  cpSync(join(repoRoot, "scripts/boot.mjs"), join(dir, "scripts/boot.mjs"));
  writeFileSync(join(dir, "package.json"), '{"type":"module"}');
  writeFileSync(join(dir, "package-lock.json"), "{}");
  writeFileSync(join(dir, "src/cmd/start.ts"), program);
  writeFileSync(join(dir, "scripts/program.ts"), fakeBundler);
  const npmFile = join(dir, "npm.mjs");
  writeFileSync(
    npmFile,
    `import { appendFileSync, mkdirSync, symlinkSync } from "node:fs";
appendFileSync("npm.calls", process.argv.slice(2, 3) + " " + process.argv.includes("--omit=dev") + "\\n");
${npm}
mkdirSync("node_modules/node-linux-" + process.arch + "/bin", { recursive: true });
try { symlinkSync(${JSON.stringify(process.execPath)}, "node_modules/node-linux-" + process.arch + "/bin/node"); } catch {}
`,
  );
  const boot = (...args: string[]): Boot => {
    const child = spawn(process.execPath, [join(dir, "scripts/boot.mjs"), "start", ...args], {
      cwd: dir,
      env: { ...process.env, npm_execpath: npmFile },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const ended = once(child, "close").then(([code]) => ({ code: Number(code), text: () => text }));
    return { child, ended, text: () => text };
  };
  return { dir, boot };
}

interface Boot {
  readonly child: ReturnType<typeof spawn>;
  readonly ended: Promise<{ code: number; text: () => string }>;
  readonly text: () => string;
}

const bundles = (dir: string): string[] => readFileSync(join(dir, "bundles.made"), "utf8").trim().split("\n");
const calls = (dir: string): string[] => readFileSync(join(dir, "npm.calls"), "utf8").trim().split("\n");

describe("boot", () => {
  it("installs once, without development packages, and passes arguments and the exit status", async (t) => {
    const { dir, boot } = await fakeClone(
      t,
      `console.log("args", process.argv.slice(2).join()); process.exit(7);`,
    );
    const first = await boot("a", "b").ended;
    assert.equal(first.code, 7, first.text());
    assert.match(first.text(), /args a,b/);
    assert.equal((await boot().ended).code, 7);
    assert.deepEqual(calls(dir), ["ci true"]);
  });

  it("installs again when the lock file changed", async (t) => {
    const { dir, boot } = await fakeClone(t, "");
    await boot().ended;
    writeFileSync(join(dir, "package-lock.json"), '{"changed":true}');
    assert.equal((await boot().ended).code, 0);
    assert.equal(calls(dir).length, 2);
  });

  it("does an interrupted install again", async (t) => {
    const { dir, boot } = await fakeClone(
      t,
      "",
      `if (!(await import("node:fs")).existsSync("go")) await new Promise((r) => setTimeout(r, 60000));`,
    );
    const first = boot();
    await eventually("npm runs", () => existsSync(join(dir, "npm.calls")));
    first.child.kill("SIGTERM");
    assert.equal((await first.ended).code, 1);
    assert.match(first.text(), /stopped by SIGTERM/);
    writeFileSync(join(dir, "go"), "");
    assert.equal((await boot().ended).code, 0);
    assert.equal(calls(dir).length, 2);
  });

  it("two at once install once", async (t) => {
    const { dir, boot } = await fakeClone(t, "", `await new Promise((r) => setTimeout(r, 300));`);
    const [a, b] = await Promise.all([boot().ended, boot().ended]);
    assert.deepEqual([a.code, b.code], [0, 0], a.text() + b.text());
    assert.equal(calls(dir).length, 1);
  });

  it("falls back to npm install and restores the lock file", async (t) => {
    const { dir, boot } = await fakeClone(
      t,
      "",
      `if (process.argv[2] === "ci") process.exit(1); (await import("node:fs")).writeFileSync("package-lock.json", "rewritten");`,
    );
    assert.equal((await boot().ended).code, 0);
    assert.deepEqual(calls(dir), ["ci true", "install true"]);
    assert.equal(readFileSync(join(dir, "package-lock.json"), "utf8"), "{}");
  });

  it("says so when npm fails twice", async (t) => {
    const { boot } = await fakeClone(t, "", "process.exit(1);");
    const { code, text } = await boot().ended;
    assert.equal(code, 1);
    assert.match(text(), /could not install/);
  });

  it("bundles once, and again when a source was changed or put in place with an old time", async (t) => {
    const { dir, boot } = await fakeClone(t, `console.log("one");`);
    assert.match((await boot().ended).text(), /one/);
    await boot().ended;
    assert.equal(bundles(dir).length, 1);

    writeFileSync(join(dir, "src/cmd/start.ts"), `console.log("two");`);
    assert.match((await boot().ended).text(), /two/);
    assert.equal(bundles(dir).length, 2);
    assert.ok(currentProgram(dir));

    writeFileSync(join(dir, "old.ts"), "");
    utimesSync(join(dir, "old.ts"), 1, 1);
    renameSync(join(dir, "old.ts"), join(dir, "src/old.ts"));
    assert.equal(currentProgram(dir), undefined);
  });

  it("runs the sources, and says so, where they cannot be bundled", async (t) => {
    const { boot } = await fakeClone(t, `console.log("source"); // cannot be bundled`);
    const { code, text } = await boot().ended;
    assert.equal(code, 0);
    assert.match(text(), /could not be bundled.*runs from its sources/);
    assert.match(text(), /^source$/m);
  });

  it("passes signals on and waits for the program's own end", async (t) => {
    const { dir, boot } = await fakeClone(
      t,
      `process.on("SIGTERM", () => { console.log("clean"); setTimeout(() => process.exit(5), 100); });
       (await import("node:fs")).writeFileSync("up", ""); setInterval(() => {}, 1000);`,
    );
    const run = boot();
    await eventually("program is up", () => existsSync(join(dir, "up")));
    run.child.kill("SIGTERM");
    const { code, text } = await run.ended;
    assert.equal(code, 5);
    assert.match(text(), /clean/);
  });

  it("a program killed by a signal ends as a shell would say", async (t) => {
    const { boot } = await fakeClone(t, `process.kill(process.pid, "SIGKILL");`);
    assert.equal((await boot().ended).code, 137);
  });

  it("checkPlatform() names what was found and the ways out", () => {
    checkPlatform({ platform: "linux", arch: "arm64", glibc: true });
    assert.throws(
      () => checkPlatform({ platform: "darwin", arch: "arm64", glibc: false }),
      /darwin arm64.*\n.*Ways out/s,
    );
    assert.throws(() => checkPlatform({ platform: "linux", arch: "x64", glibc: false }), /without glibc/);
    assert.throws(() => checkPlatform({ platform: "linux", arch: "s390x", glibc: true }), BootError);
  });

  it("nodeFits() from 24.21 on", () => {
    assert.deepEqual(["v24.21.0", "v26.0.0", "v24.20.9", "v18.0.0"].map(nodeFits), [
      true,
      true,
      false,
      false,
    ]);
  });

  it("findNode() prefers the installed one, and else takes a fitting system Node", async (t) => {
    const dir = await tempDir(t);
    assert.equal(findNode(dir), process.execPath);
    const bin = join(dir, `node_modules/node-linux-${process.arch}/bin`);
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "node"), "#!/bin/sh\necho v24.30.0\n");
    chmodSync(join(bin, "node"), 0o755);
    assert.equal(findNode(dir), join(bin, "node"));
    writeFileSync(join(bin, "node"), "#!/bin/sh\necho v20.0.0\n");
    assert.equal(findNode(dir), process.execPath);
  });

  it("a clone keeps its state in .coder unless told otherwise", () => {
    const env = cloneEnvironment("/c", { CODER_CONFIG_DIR: "/mine" });
    assert.equal(env["CODER_CONFIG_DIR"], "/mine");
    assert.equal(env["CODER_CACHE_DIRECTORY"], "/c/.coder/cache");
  });
});
