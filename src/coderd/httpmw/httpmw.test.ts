import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { MockClock } from "#quartz/mock.ts";
import { accessUrlRedirect } from "./access-url.ts";
import { clientIpReader } from "./client-ip.ts";
import { checkCsrf, csrfMatches, maskCsrf, newCsrfToken } from "./csrf.ts";
import { RateLimiter } from "./ratelimit.ts";
import { findToken, splitSessionToken, type TokenPlace } from "./token.ts";

const places = ["cookie", "query", "header", "bearer", "access_token"] as const;

test("of all 32 ways to send tokens, the first place that has one wins", () => {
  for (let bits = 0; bits < 32; bits++) {
    const given = new Set<TokenPlace>(places.filter((_, at) => bits & (1 << at)));
    const search = new URLSearchParams();
    if (given.has("query")) search.set("coder_session_token", "query");
    if (given.has("access_token")) search.set("access_token", "access_token");
    const found = findToken(
      {
        ...(given.has("cookie") ? { cookie: "a=b; coder_session_token=cookie; c=d" } : {}),
        ...(given.has("header") ? { "coder-session-token": "header" } : {}),
        ...(given.has("bearer") ? { authorization: "bEaRer  bearer " } : {}),
      },
      search,
    );
    const want = places.find((place) => given.has(place));
    assert.deepEqual(found, want && { token: want, place: want }, `${bits}`);
  }
  assert.equal(findToken({ authorization: "Basic YTpi" }, new URLSearchParams()), undefined);
});

test("session tokens are ten and twenty-two characters, nothing else", () => {
  assert.deepEqual(splitSessionToken(`${"a".repeat(10)}-${"B".repeat(22)}`), {
    id: "a".repeat(10),
    secret: "B".repeat(22),
  });
  for (const bad of [
    "",
    "x",
    "a-b",
    `${"a".repeat(10)}-${"B".repeat(23)}`,
    `${"a".repeat(10)}-${"B".repeat(22)}-x`,
  ]) {
    assert.equal(splitSessionToken(bad), undefined, bad);
  }
});

test("an unsafe request by cookie needs a second proof", () => {
  const real = newCsrfToken(cryptoRand);
  const cookie = `coder_session_token=t; csrf_token=${real}`;
  const check = (
    headers: Record<string, string>,
    more: { path?: string; method?: string; query?: string } = {},
  ) =>
    checkCsrf({
      method: more.method ?? "POST",
      path: more.path ?? "/api/v2/x",
      headers,
      search: new URLSearchParams(more.query),
      exempt: false,
    });
  assert.equal(check({ cookie }), "missing");
  assert.equal(check({ cookie, "coder-session-token": "other" }), "mismatch");
  assert.equal(check({ cookie, "x-csrf-token": maskCsrf(newCsrfToken(cryptoRand), cryptoRand) }), "missing");
  assert.equal(check({ cookie, "x-csrf-token": "" }), "missing");
  assert.equal(check({ cookie, "x-csrf-token": maskCsrf(real, cryptoRand) }), "ok");
  assert.equal(check({ cookie, "coder-session-token": "t" }), "ok");
  assert.equal(check({ cookie, authorization: "Bearer x" }), "ok");
  assert.equal(check({ cookie, "coder-provisioner-daemon-key": "x" }), "ok");
  assert.equal(check({ cookie }, { query: "coder_session_token=t" }), "ok");
  assert.equal(check({ cookie }, { query: "coder_session_token=u" }), "missing");
  assert.equal(check({ cookie }, { method: "GET" }), "ok");
  assert.equal(check({ cookie }, { path: "/other" }), "ok");
  assert.equal(check({ cookie }, { path: "/oauth2/authorize" }), "missing");
  assert.equal(check({}), "ok");
  assert.equal(csrfMatches("", ""), false);
});

test("a caller has a budget per key, and the last minute counts by the part that is still inside", async () => {
  const clock = new MockClock();
  const limiter = new RateLimiter(clock);
  const take = (key: string) => limiter.take(key, 4);
  const first = take("a");
  assert.equal(first.headers["x-ratelimit-remaining"], "3");
  for (let n = 0; n < 3; n++) assert.equal(take("a").limited, false);
  assert.equal(take("a").limited, true);
  assert.equal(take("a").headers["retry-after"], "60");
  assert.equal(take("b").limited, false);
  const reset = Number(first.headers["x-ratelimit-reset"]) * 1000;
  await clock.advance(reset - clock.now().getTime() + 30_000);
  assert.equal(take("a").limited, false);
  assert.equal(take("a").limited, false);
  assert.equal(take("a").limited, true);
  await clock.advance(120_000);
  assert.equal(take("a").headers["x-ratelimit-remaining"], "3");
});

test("requests for another host are sent to the access URL, probes and relays are not", () => {
  const at = (
    host: string,
    more: { url?: string; headers?: Record<string, string> } = {},
    to = "https://coder.test",
  ) => accessUrlRedirect(to, { headers: { host, ...more.headers }, url: more.url ?? "/x", secure: false });
  assert.equal(at("other.test"), "https://coder.test");
  assert.equal(at("coder.test"), "https://coder.test");
  assert.equal(at("CODER.test", { headers: { "x-forwarded-proto": "https" } }), undefined);
  assert.equal(at("coder.test", {}, "http://coder.test"), undefined);
  assert.equal(
    at("10.0.0.1:3000", { headers: { "x-forwarded-host": "coder.test" } }, "http://coder.test"),
    undefined,
  );
  for (const url of ["/healthz", "/derp", "/derp/latency-check"]) {
    assert.equal(at("other.test", { url }), undefined);
  }
});

test("forwarded headers count from trusted proxies only", () => {
  const read = clientIpReader({ origins: ["10.0.0.0/8", "::1"], headers: ["X-Real-Ip", "X-Forwarded-For"] });
  const request = (peer: string, headers: Record<string, string>): IncomingMessage => {
    const socket = new Socket();
    Object.defineProperty(socket, "remoteAddress", { value: peer });
    const message = new IncomingMessage(socket);
    Object.assign(message.headers, headers);
    return message;
  };
  const headers = { "x-forwarded-for": "1.2.3.4, 10.0.0.1" };
  assert.equal(read(request("::ffff:10.1.1.1", headers)), "1.2.3.4");
  assert.equal(read(request("::1", { "x-real-ip": "junk", ...headers })), "1.2.3.4");
  assert.equal(read(request("192.168.0.1", headers)), "192.168.0.1");
  assert.equal(read(request("10.1.1.1", {})), "10.1.1.1");
  assert.throws(() => clientIpReader({ origins: ["x"], headers: [] }), /received x/);
});
