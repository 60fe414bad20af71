import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { MockClock } from "#quartz/mock.ts";
import { pinoLogger } from "#slog/slog.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { newServer } from "../coderdtest/coderdtest.ts";
import { answer, codingOf } from "./answer.ts";
import { Binaries, type BinaryMaker, isName, patienceMs } from "./binaries.ts";

interface Got {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** A plain request: `fetch` would decode bodies and tidy paths. */
function get(url: string, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> {
  return new Promise((done, fail) => {
    request(url, { method, headers, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on("error", fail);
    })
      .on("error", fail)
      .end();
  });
}

const content = Buffer.from("a program of another platform\n".repeat(1000));
const sha1 = createHash("sha1").update(content).digest("hex");

async function start(t: TestContext, maker?: BinaryMaker) {
  const dir = join(await tempDir(t), "site/orig/bin");
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "../secret"), "secret");
  await writeFile(join(dir, "coder-windows-amd64.exe"), content);
  const { url } = await newServer(t, { coderd: { binaries: { dir, ...(maker && { maker }) } } });
  return { dir, url };
}

const path = "/bin/coder-windows-amd64.exe";

test("a file comes with what stock clients look at; their copy is not sent again", async (t) => {
  const { url, dir } = await start(t);
  const whole = await get(url, path);
  assert.equal(whole.status, 200);
  assert.deepEqual(whole.body, content);
  assert.equal(whole.headers["etag"], `"${sha1}"`);
  assert.equal(whole.headers["x-original-content-length"], String(content.length));
  assert.equal(whole.headers["content-length"], String(content.length));
  assert.deepEqual((await get(url, "/bin/coder-windows_amd64.exe")).body, content);
  const same = await get(url, path, { "if-none-match": `"${sha1}"`, "accept-encoding": "gzip" });
  assert.deepEqual([same.status, same.body.length, same.headers["etag"]], [304, 0, `"${sha1}"`]);
  assert.equal((await get(url, path, { "if-none-match": '"other"' })).status, 200);
  assert.equal((await get(url, path, { "if-match": '"other"' })).status, 412);
  const head = await get(url, path, {}, "HEAD");
  assert.deepEqual(
    [head.status, head.body.length, head.headers["content-length"]],
    [200, 0, String(content.length)],
  );
  assert.equal((await get(url, path, {}, "POST")).status, 405);
  // An administrator may replace the file while the server runs.
  await writeFile(join(dir, "coder-windows-amd64.exe"), "new");
  assert.equal((await get(url, path)).body.toString(), "new");
  const list = await get(url, "/bin/");
  assert.deepEqual([list.status, list.body.toString()], [200, "coder-windows-amd64.exe\n"]);
});

test("compressed once, in the best coding that the client takes, and only where that gains something", async (t) => {
  const { url, dir } = await start(t);
  const [zstd, again, gzip] = await Promise.all([
    get(url, path, { "accept-encoding": "gzip, deflate, br, zstd" }),
    get(url, path, { "accept-encoding": "zstd" }),
    get(url, path, { "accept-encoding": "deflate, gzip" }),
  ]);
  assert.equal(zstd.headers["content-encoding"], "zstd");
  assert.equal(zstd.headers["content-length"], undefined);
  assert.equal(zstd.headers["x-original-content-length"], String(content.length));
  assert.equal(zstd.headers["etag"], `"${sha1}"`);
  assert.deepEqual(zstdDecompressSync(zstd.body), content);
  assert.deepEqual(again.body, zstd.body);
  assert.equal(gzip.headers["content-encoding"], "gzip");
  assert.deepEqual(gunzipSync(gzip.body), content);
  assert.deepEqual((await readdir(join(dir, "../encoded"))).toSorted(), [
    `coder-windows-amd64.exe-${sha1}.gzip`,
    `coder-windows-amd64.exe-${sha1}.zstd`,
  ]);
  const packed = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919 * index) >> 3));
  await writeFile(join(dir, "coder-linux-armv7"), createHash("sha512").update(packed).digest());
  const plain = await get(url, "/bin/coder-linux-armv7", { "accept-encoding": "gzip" });
  assert.deepEqual(
    [plain.status, plain.headers["content-encoding"], plain.body.length],
    [200, undefined, 64],
  );
});

test("ranges, so that a cut download goes on", async (t) => {
  const { url } = await start(t);
  const part = await get(url, path, { range: "bytes=100-199", "accept-encoding": "gzip" });
  assert.equal(part.status, 206);
  assert.equal(part.headers["content-range"], `bytes 100-199/${content.length}`);
  assert.deepEqual(part.body, content.subarray(100, 200));
  assert.deepEqual((await get(url, path, { range: "bytes=-5" })).body, content.subarray(-5));
  assert.equal((await get(url, path, { range: "bytes=999999-" })).status, 416);
  assert.equal((await get(url, path, { range: "bytes=0-1", "if-range": '"old"' })).status, 200);
  for (const range of ["bytes=0-1,4-5", "lines=1-2", "bytes=9-3", "bytes=-"]) {
    assert.equal((await get(url, path, { range })).status, 200, range);
  }
});

test("nothing outside of the folder, nothing hidden, nothing half written", async (t) => {
  const { url, dir } = await start(t);
  await writeFile(join(dir, ".hidden"), "secret");
  await writeFile(join(dir, "coder.part"), "secret");
  await mkdir(join(dir, "folder"));
  const paths = [
    "../secret",
    "..%2fsecret",
    "%2e%2e/secret",
    ".hidden",
    "coder.part",
    "folder",
    "a/b",
    "%00",
    "a\\b",
  ];
  for (const name of paths) {
    const { status, body } = await get(url, `/bin/${name}`);
    assert.ok(!body.toString().includes("secret\n") && body.toString() !== "secret", name);
    if (!name.includes("..") && !name.includes("%2e")) assert.equal(status, 404, name);
  }
  assert.ok(!isName("..") && !isName("a/b") && !isName("") && isName("coder-linux-amd64"));
});

test("what is missing is made when it is first asked for, once for all who ask", async (t) => {
  let made = 0;
  const { url, dir } = await start(t, {
    wants: async (name) => name === "coder-linux-amd64" && made === 0,
    async make(name, into) {
      made++;
      await writeFile(join(into, name), content);
    },
  });
  const answers = await Promise.all([1, 2, 3].map(() => get(url, "/bin/coder-linux-amd64")));
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body.length]),
    [1, 2, 3].map(() => [200, content.length]),
  );
  assert.equal(made, 1);
  assert.ok((await stat(join(dir, "coder-linux-amd64"))).isFile());
  assert.equal((await get(url, "/bin/coder-linux-arm64")).status, 404);
});

test("who waits too long is told so; a failure is told with its reason, and tried again later", async (t) => {
  const dir = await tempDir(t);
  const clock = new MockClock();
  const { signal } = new AbortController();
  let finish: (error?: Error) => void = () => {};
  let attempts = 0;
  const maker: BinaryMaker = {
    wants: async () => true,
    make: () => {
      attempts++;
      return new Promise((done, fail) => (finish = (error) => (error ? fail(error) : done())));
    },
  };
  const binaries = new Binaries({
    dir,
    maker,
    clock,
    log: pinoLogger({ level: "error", destination: { write() {} } }),
  });
  const trap = clock.trap("binary");
  const first = binaries.find("coder-linux-amd64", signal);
  await trap.wait();
  await clock.advance(patienceMs);
  assert.deepEqual(await first, {
    kind: "later",
    reason: "coder-linux-amd64 is being made; ask again in a minute",
  });
  const second = binaries.find("coder-linux-amd64", signal);
  await trap.wait();
  await eventually("the making has begun", () => attempts === 1);
  finish(new Error("no libraries for this machine"));
  const failed = {
    kind: "later",
    reason: "coder-linux-amd64 could not be made: no libraries for this machine",
  };
  assert.deepEqual(await second, failed);
  assert.deepEqual(await binaries.find("coder-linux-amd64", signal), failed);
  assert.equal(attempts, 1);
  await clock.advance(60_000);
  const third = binaries.find("coder-linux-amd64", signal);
  await trap.wait();
  await writeFile(join(dir, "coder-linux-amd64"), content);
  await eventually("the making has begun", () => attempts === 2);
  finish();
  assert.equal((await third).kind, "file");
  assert.equal(attempts, 2);
});

test("install.sh and the init scripts name this server", async (t) => {
  const { url } = await start(t);
  const install = await get(url, "/install.sh");
  assert.match(String(install.headers["content-type"]), /^text\/plain/);
  assert.ok(install.body.toString().startsWith("#!/bin/sh\n") && install.body.includes(`origin='${url}'`));
  const script = await get(url, "/api/v2/init-script/linux/amd64");
  assert.equal(script.status, 200);
  assert.match(String(script.headers["content-type"]), /^text\/plain/);
  assert.ok(
    script.body.includes(`${url}/bin/coder-linux-amd64`) || script.body.includes(`BINARY_URL="${url}/`),
  );
  const hash = createHash("sha256").update(script.body).digest("base64");
  assert.equal(script.headers["content-digest"], `sha256:${Buffer.from(hash).toString("hex")}`);
  const unknown = await get(url, "/api/v2/init-script/linux/mips");
  assert.equal(unknown.status, 400);
  assert.equal(JSON.parse(unknown.body.toString()).message, "Unknown os/arch: linux/mips");
});

test("codings by their weights", () => {
  for (const [accepted, coding] of [
    [undefined, "identity"],
    ["br", "identity"],
    ["gzip;q=0, *", "zstd"],
    ["zstd;q=0, GZIP", "gzip"],
    ["*;q=0", "identity"],
  ] as const) {
    assert.equal(codingOf(accepted), coding, accepted);
  }
  const binary = { name: "x", path: "/x", size: 0, sha1: "", modified: new Date(0) };
  assert.equal(answer(binary, { range: "bytes=-1" }, "identity").status, 416);
});
