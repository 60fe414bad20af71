import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { deployment } from "#codersdk/deployment.ts";
import { newClient } from "#codersdk/client.ts";
import { users } from "#codersdk/users.ts";
import { MockClock } from "#quartz/mock.ts";
import { newServer } from "./coderdtest/coderdtest.ts";

interface Answer {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

function send(
  url: string,
  method: string,
  path: string,
  options: { readonly headers?: Record<string, string>; readonly body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const out = request(
      { hostname, port, method, path, headers: options.headers, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          const json = (response.headers["content-type"] ?? "").startsWith("application/json") && text !== "";
          const message: unknown = json ? JSON.parse(text)?.message : text;
          resolve({ status: response.statusCode ?? 0, message: String(message), headers: response.headers });
        });
      },
    );
    out.on("error", reject);
    out.setTimeout(20_000, () => out.destroy(new Error(`${method} ${path} does not answer`)));
    out.end(options.body);
  });
}

const nothing = "00000000-0000-4000-8000-00000000dead";
const signedOut = "You are signed out or your session has expired. Please sign in again to continue.";

test("every endpoint: strangers are refused, nobody gets a 5xx for junk", async (t) => {
  const server = await newServer(t);
  await server.createFirstUser();
  const member = await server.createAnotherUser();
  const auditor = await server.createAnotherUser({ roles: ["auditor"] });
  const wrong: string[] = [];
  for (const endpoint of server.coderd.endpoints) {
    const path = endpoint.path.replaceAll(/\{[^}]+\}/g, nothing);
    const body = endpoint.method === "GET" ? {} : { body: "{" };
    const length = endpoint.method === "GET" ? {} : { "Content-Length": "1" };
    const ask = (token: string) =>
      send(server.url, endpoint.method, path, {
        ...body,
        headers: { ...length, ...(token === "" ? {} : { "Coder-Session-Token": token }) },
      });
    const at = `${endpoint.method} ${endpoint.path}`;
    for (const token of ["", "junk", `${"a".repeat(10)}-${"b".repeat(22)}`]) {
      const { status, message } = await ask(token);
      const refused = endpoint.auth === "session-or-login-redirect" ? 303 : 401;
      if (endpoint.auth !== "none" && status !== refused) wrong.push(`${at} without session: ${status}`);
      if (endpoint.auth === "session" && message !== signedOut) wrong.push(`${at}: ${message}`);
      if (status >= 500) wrong.push(`${at} without session: ${status} ${message}`);
    }
    if (endpoint.path === users.logout.path) continue;
    for (const { token } of [member, auditor]) {
      const { status, message } = await ask(token);
      if (status >= 500) wrong.push(`${at} with junk: ${status} ${message}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("the challenge of a 401 tells OAuth2 clients where to look", async (t) => {
  const server = await newServer(t);
  const { headers } = await send(server.url, "GET", "/api/v2/users/me");
  assert.equal(
    headers["www-authenticate"],
    'Bearer realm="coder", error="invalid_token", error_description="The access token has expired", ' +
      `resource_metadata="${server.url}/.well-known/oauth-protected-resource"`,
  );
});

test("sessions slide with use, and end without it", async (t) => {
  const clock = new MockClock();
  const server = await newServer(t, { clock });
  const owner = await server.createFirstUser();
  const me = () => owner.client.call(users.get, { params: { user: "me" } });
  for (let hours = 0; hours < 72; hours += 12) {
    await clock.advance(12 * 3_600_000);
    await me();
    await server.coderd.flush();
  }
  await clock.advance(24 * 3_600_000 + 1);
  await assert.rejects(me(), /signed out/);
});

test("using a key is noted once an hour, in batches", async (t) => {
  const clock = new MockClock();
  const server = await newServer(t, { clock });
  const owner = await server.createFirstUser();
  const id = owner.token.slice(0, 10);
  const lastUsed = async () => (await server.db.store.getApiKeyById({ id })).lastUsed;
  assert.equal(await lastUsed(), null);
  await owner.client.call(users.get, { params: { user: "me" } });
  await server.coderd.flush();
  const first = await lastUsed();
  assert.deepEqual(first, clock.now());
  await clock.advance(60_000);
  await owner.client.call(users.get, { params: { user: "me" } });
  await server.coderd.flush();
  assert.deepEqual(await lastUsed(), first);
  const { lastSeenAt } = await server.db.store.getUserById({ id: owner.id });
  assert.deepEqual(lastSeenAt, first);
});

test("limits: a budget per caller and route, owners may lift it", async (t) => {
  const server = await newServer(t, { config: { limits: { api: 5, login: 50, files: 1, disabled: false } } });
  const owner = await server.createFirstUser();
  const ask = (path: string, headers = {}) =>
    send(server.url, "GET", path, { headers: { "Coder-Session-Token": owner.token, ...headers } });
  const first = await ask("/api/v2/users/me");
  assert.equal(first.headers["x-ratelimit-limit"], "5");
  assert.equal(first.headers["x-ratelimit-remaining"], "4");
  for (let n = 0; n < 4; n++) assert.equal((await ask("/api/v2/users/me")).status, 200);
  const over = await ask("/api/v2/users/me");
  assert.deepEqual([over.status, over.headers["retry-after"]], [429, "60"]);
  assert.equal((await ask("/api/v2/organizations")).status, 200);
  assert.equal((await ask("/api/v2/users/me", { "X-Coder-Bypass-Ratelimit": "true" })).status, 200);
  const stranger = await send(server.url, "GET", "/api/v2/buildinfo", {
    headers: { "X-Coder-Bypass-Ratelimit": "true" },
  });
  assert.equal(stranger.status, 428);
  assert.equal((await send(server.url, "GET", "/healthz")).headers["x-ratelimit-limit"], undefined);
});

test("an unsafe request by cookie alone is refused in plain text", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const cookie = `coder_session_token=${owner.token}`;
  const alone = await send(server.url, "POST", "/api/v2/users/logout", { headers: { cookie } });
  assert.deepEqual([alone.status, alone.headers["content-type"]], [400, "text/plain; charset=utf-8"]);
  const proven = await send(server.url, "POST", "/api/v2/users/logout", {
    headers: { cookie, "Coder-Session-Token": owner.token },
  });
  assert.equal(proven.status, 200);
});

test("a dormant user is active with his first request", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const made = await server.createAnotherUser({ user_status: "dormant" });
  const dormant = { id: made.id, status: "dormant", updatedAt: new Date(0) } as const;
  await server.db.store.updateUserStatus(dormant);
  assert.equal((await made.client.call(users.get, { params: { user: "me" } })).status, "active");
  const seen = await owner.client.call(users.get, { params: { user: made.id } });
  assert.equal(seen.status, "active");
});

test("deployment: what everybody may know, and what only some", async (t) => {
  const secret = {
    name: "Token",
    description: "",
    flag: "t",
    env: "T",
    yaml: "t",
    hidden: false,
    secret: true,
  };
  const server = await newServer(t, {
    config: {
      accessUrl: "https://coder.test",
      options: [{ ...secret, default: "d", value: "hunter2", value_source: "env" }],
    },
  });
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const info = await newClient({ url: server.url }).call(deployment.buildInfo);
  assert.equal(info.dashboard_url, "https://coder.test");
  assert.match(info.version, /^v2\.34\./);
  const { features } = await member.client.call(deployment.entitlements);
  assert.equal(features["browser_only"]?.enabled, false);
  assert.equal(features["template_rbac"]?.enabled, true);
  const { options } = await owner.client.call(deployment.config);
  assert.equal(options?.[0]?.name, "Token");
  assert.doesNotMatch(JSON.stringify(options), /hunter2/);
  await assert.rejects(
    member.client.call(deployment.config),
    (error: { status?: number }) => error.status === 403,
  );
});
