import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { tempDir } from "#testutil/testutil.ts";
import { newServer } from "../coderdtest/coderdtest.ts";
import { contentPolicy } from "./index-page.ts";
import { firstFolder, siteFolder } from "./manifest.ts";
import { chooseEncoding, noneMatch, Site } from "./site.ts";

async function writeSite(dir: string, scripts: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(dir, "assets"), { recursive: true });
  const files = [];
  for (const [name, text] of Object.entries(scripts)) {
    const path = `assets/${name}.js`;
    await writeFile(join(dir, path), text);
    await writeFile(join(dir, `${path}.br`), brotliCompressSync(text));
    await writeFile(join(dir, `${path}.gz`), gzipSync(text));
    files.push({ path, type: "text/javascript; charset=utf-8", hash: `hash-of-${name}`, bytes: text.length });
  }
  await writeFile(join(dir, "index.html"), `<meta property="csrf-token" content="{{csrf}}"><div id="root">`);
  await writeFile(join(dir, "manifest.json"), JSON.stringify({ inlineScriptHash: "aGFzaA==", files }));
}

/** A plain request: `fetch` would decode bodies and hide headers. */
function get(url: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
    (resolve, reject) => {
      request(url, { method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
        response.on("error", reject);
      })
        .on("error", reject)
        .end();
    },
  );
}

async function start(t: TestContext) {
  const dir = await tempDir(t);
  await writeSite(dir, { main: "console.log(1)" });
  const server = await newServer(t, { coderd: { site: siteFolder(dir) } });
  return { dir, url: server.url };
}

test("files are kept for a year, come in the best form that the client takes, and are not sent twice", async (t) => {
  const { url } = await start(t);
  const file = `${url}/assets/main.js`;
  const plain = await get(file);
  assert.equal(plain.status, 200);
  assert.equal(plain.body.toString(), "console.log(1)");
  assert.equal(plain.headers["cache-control"], "public, max-age=31536000, immutable");
  assert.equal(plain.headers["content-type"], "text/javascript; charset=utf-8");
  assert.match(String(plain.headers["vary"]), /Accept-Encoding/);
  const br = await get(file, { "accept-encoding": "gzip, deflate, br" });
  assert.equal(br.headers["content-encoding"], "br");
  assert.equal(brotliDecompressSync(br.body).toString(), "console.log(1)");
  const gzip = await get(file, { "accept-encoding": "gzip, br;q=0" });
  assert.equal(gzip.headers["content-encoding"], "gzip");
  assert.equal(gunzipSync(gzip.body).toString(), "console.log(1)");
  const tags = [plain, br, gzip].map(({ headers }) => headers["etag"]);
  assert.equal(new Set(tags).size, 3);
  const again = await get(file, { "accept-encoding": "br", "if-none-match": `"x", W/${String(tags[1])}` });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  const head = await get(file, {}, "HEAD");
  assert.deepEqual([head.status, head.body.length, head.headers["content-length"]], [200, 0, "14"]);
});

test("a missing file is 404, no page, and is not kept", async (t) => {
  const { url } = await start(t);
  for (const path of ["/assets/none.js", "/assets/../manifest.json", "/assets/%2e%2e/manifest.json"]) {
    const { status, headers, body } = await get(url + path);
    if (/\.\.|%2e/.test(path)) assert.doesNotMatch(body.toString(), /inlineScriptHash/);
    else assert.deepEqual([status, headers["cache-control"]], [404, "no-store"], path);
  }
});

test("every other path outside of the API is the page, with a policy and a token of its own", async (t) => {
  const { url } = await start(t);
  for (const path of ["/", "/login", "/workspaces", "/@ann/dev", "/templates/a/versions/b", "/favicon.ico"]) {
    const { status, headers, body } = await get(url + path);
    assert.equal(status, 200, path);
    assert.match(String(headers["content-type"]), /^text\/html/);
    assert.equal(headers["cache-control"], "no-cache");
    assert.match(String(headers["content-security-policy"]), /script-src 'self' 'sha256-aGFzaA=='/);
    assert.match(String(headers["set-cookie"]), /^csrf_token=/);
    assert.match(body.toString(), /content="[A-Za-z0-9+/=]{80,}"/);
  }
  assert.equal((await get(`${url}/workspaces`, {}, "HEAD")).status, 200);
  const known = await get(`${url}/`, { cookie: `csrf_token=${Buffer.alloc(32).toString("base64")}` });
  assert.equal(known.headers["set-cookie"], undefined);
  assert.equal((await get(`${url}/api/v2/nothing`)).status, 404);
  assert.equal((await get(`${url}/bin/nothing`)).status, 404);
  assert.equal((await get(`${url}/workspaces`, {}, "POST")).status, 404);
});

test("a dashboard may appear, and be built again: open pages still find their old files", async (t) => {
  const dir = join(await tempDir(t), "dashboard");
  const site = new Site(firstFolder([join(dir, "none"), dir]));
  assert.equal(await site.current(), undefined);
  assert.equal(await site.asset("assets/one.js"), undefined);
  await writeSite(dir, { one: "1" });
  assert.ok(await site.asset("assets/one.js"));
  await rm(dir, { recursive: true });
  assert.ok(await site.current(), "what is loaded stays while the folder is replaced");
  await writeSite(dir, { two: "2" });
  assert.deepEqual(Array.from((await site.current())?.assets.keys() ?? []), ["assets/two.js"]);
  assert.ok(await site.asset("assets/one.js"));
  await rm(join(dir, "assets/two.js.br"));
  await writeFile(
    join(dir, "manifest.json"),
    JSON.stringify({ inlineScriptHash: "", files: [{ path: "assets/two.js" }] }),
  );
  assert.equal((await site.current())?.inlineScriptHash, "aGFzaA==", "half a folder changes nothing");
});

test("chooseEncoding() and noneMatch()", () => {
  for (const [accepted, chosen] of [
    [undefined, "identity"],
    ["", "identity"],
    ["*", "br"],
    ["GZIP", "gzip"],
    ["br;q=0, *;q=0.5", "gzip"],
    ["identity", "identity"],
    ["deflate, zstd", "identity"],
    ["gzip;q=1.0, br;q=0.1", "br"],
  ] as const) {
    assert.equal(chooseEncoding(accepted), chosen, accepted);
  }
  assert.ok(noneMatch("*", '"a"'));
  assert.ok(noneMatch('"b", W/"a"', '"a"'));
  assert.ok(!noneMatch('"ab"', '"a"'));
  assert.ok(!noneMatch(undefined, '"a"'));
});

test("only a terminal's page may set styles while it runs", () => {
  const policy = (url: string): string => contentPolicy("x", "https://coder.example.com:8443/base", url);
  assert.match(policy("/@ann/dev.main/terminal?command=x"), /style-src 'self' 'unsafe-inline'/);
  for (const url of ["/@ann/dev/terminal/x", "/terminal", "/@ann/dev?x=/@a/b/terminal", "/"]) {
    assert.doesNotMatch(policy(url), /unsafe/, url);
  }
  assert.match(policy("/"), /connect-src 'self' ws:\/\/coder\.example\.com:8443 wss:\/\/coder/);
});
