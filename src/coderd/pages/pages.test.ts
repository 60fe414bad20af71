import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { users } from "#codersdk/users.ts";
import { MockClock } from "#quartz/mock.ts";
import { newServer, testPassword } from "../coderdtest/coderdtest.ts";
import { safeRedirect } from "./form.ts";

/** A browser without script: keeps cookies, sends forms. */
class Browser {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();
  constructor(url: string) {
    this.#url = url;
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  async go(path: string, form?: Record<string, string>, headers: Record<string, string> = {}) {
    const cookie = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(this.#url + path, {
      method: form === undefined ? "GET" : "POST",
      redirect: "manual",
      headers: { ...(cookie === "" ? {} : { cookie }), ...headers },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    for (const set of response.headers.getSetCookie()) {
      const match = /^([^=]+)=([^;]*)/.exec(set);
      if (match?.[1] !== undefined) this.#cookies.set(match[1], match[2] ?? "");
    }
    const text = await response.text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? "";
    return {
      status: response.status,
      location: response.headers.get("location"),
      headers: response.headers,
      text,
      csrf,
    };
  }
}

async function start(t: TestContext, clock?: MockClock) {
  const server = await newServer(t, clock === undefined ? {} : { clock });
  const owner = await server.createFirstUser();
  return { server, owner, browser: new Browser(server.url) };
}

test("signing in by the form leads back to where one came from, and a token for the command line", async (t) => {
  const { server, owner, browser } = await start(t);
  const asked = await browser.go("/cli-auth");
  assert.equal(asked.status, 303);
  assert.match(asked.location ?? "", /^\/login\?message=.*&redirect=%2Fcli-auth$/);
  const form = await browser.go(asked.location ?? "");
  assert.match(form.text, /signed out/);
  const wrong = { csrf: form.csrf, email: owner.email, password: "wrong", redirect: "/cli-auth" };
  assert.equal((await browser.go("/login", wrong)).status, 401);
  const done = await browser.go("/login", { ...wrong, password: testPassword });
  assert.deepEqual([done.status, done.location], [303, "/cli-auth"]);
  const page = await browser.go("/cli-auth");
  assert.match(page.text, new RegExp(owner.username));
  const shown = await browser.go("/cli-auth", { csrf: page.csrf });
  const token = /<code>([0-9A-Za-z]{10}-[0-9A-Za-z]{22})<\/code>/.exec(shown.text)?.[1];
  const me = await server.client.withToken(token).call(users.get, { params: { user: "me" } });
  assert.equal(me.id, owner.id);
});

test("a form without its proof, or from another site, changes nothing", async (t) => {
  const { owner, browser } = await start(t);
  const { csrf } = await browser.go("/login");
  const form = { email: owner.email, password: testPassword, redirect: "/" };
  assert.equal((await browser.go("/login", form)).status, 400);
  assert.equal((await browser.go("/login", { ...form, csrf: `${csrf.slice(0, -4)}AAAA` })).status, 400);
  assert.equal((await browser.go("/login", { ...form, csrf }, { origin: "https://evil.test" })).status, 400);
  assert.equal(browser.cookie("coder_session_token"), undefined);
});

test("a login link signs in once; looking at it spends nothing", async (t) => {
  const { server, owner, browser } = await start(t);
  const { url } = await owner.client.call(users.createLoginLink, { params: { user: "me" } });
  assert.match(url, /\/setup\/[0-9A-Za-z]{43}$/);
  const { pathname } = new URL(url);
  for (let look = 0; look < 3; look++) assert.equal((await browser.go(pathname)).status, 200);
  const { csrf } = await browser.go(pathname);
  const both = await Promise.all([browser.go(pathname, { csrf }), browser.go(pathname, { csrf })]);
  assert.deepEqual(
    both.map(({ status }) => status).toSorted((a, b) => a - b),
    [303, 404],
  );
  const token = browser.cookie("coder_session_token");
  const me = await server.client.withToken(token).call(users.get, { params: { user: "me" } });
  assert.equal(me.id, owner.id);
  assert.equal((await browser.go(pathname)).status, 404);
  assert.equal((await browser.go(`/setup/${"x".repeat(43)}`)).status, 404);
});

test("a login link ends after 15 minutes, and members make them for themselves only", async (t) => {
  const clock = new MockClock();
  const { server, owner, browser } = await start(t, clock);
  const { url } = await owner.client.call(users.createLoginLink, { params: { user: "me" } });
  await clock.advance(15 * 60_000 + 1);
  assert.equal((await browser.go(new URL(url).pathname)).status, 404);
  const member = await server.createAnotherUser();
  await member.client.call(users.createLoginLink, { params: { user: "me" } });
  await assert.rejects(
    member.client.call(users.createLoginLink, { params: { user: owner.id } }),
    /Resource not found/,
  );
});

test("pages are strict, and what they show is escaped", async (t) => {
  const { browser } = await start(t);
  const page = await browser.go("/login?message=%3Cscript%3Ealert(1)%3C/script%3E&redirect=%22%3E%3Cb%3E");
  assert.doesNotMatch(page.text, /<script|<b>/);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /default-src 'none'.*frame-ancestors 'none'/,
  );
  assert.equal(page.headers.get("cache-control"), "no-store");
  assert.equal((await browser.go("/workspaces")).status, 200);
  assert.equal((await browser.go("/api/v2/nothing")).status, 404);
  assert.equal((await browser.go("/bin/coder-linux-amd64")).status, 404);
});

test("redirects never leave this server", () => {
  for (const bad of [
    "",
    "x",
    "//evil",
    "/\\evil",
    "https://evil/a",
    "/\t/evil",
    "/%2F/../\\evil",
    "javascript:x",
  ]) {
    assert.equal(safeRedirect(bad), "/", bad);
  }
  assert.equal(safeRedirect("/a/b?c=d#e"), "/a/b?c=d");
  assert.equal(safeRedirect("/a/../b"), "/b");
  assert.equal(safeRedirect("/.//evil"), "/");
});
