import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { AgentApi, type AgentApiOptions } from "./api.ts";

async function start(t: TestContext, options: Partial<AgentApiOptions> = {}): Promise<string> {
  const api = new AgentApi({
    clock: realClock,
    log: discardLogger,
    manifest: () => ({ agent_name: "main" }),
    netcheck: async () => undefined,
    logs: async () => Buffer.from("a line\n"),
    ...options,
  });
  const listener = createServer((socket) => api.serve(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", () => resolve()));
  t.after(() => listener.close());
  const address = listener.address();
  assert.ok(address && typeof address === "object");
  return `http://127.0.0.1:${address.port}`;
}

test("greets, tells its ports, its manifest and its log", async (t) => {
  const url = await start(t);
  const get = async (path: string) => {
    const response = await fetch(url + path, { headers: { connection: "close" } });
    return { status: response.status, text: await response.text() };
  };
  assert.deepEqual(await get("/"), { status: 200, text: '{"message":"Hello from the agent!"}\n' });
  const { ports }: { ports: { port: number; network: string }[] } = JSON.parse(
    (await get("/api/v0/listening-ports")).text,
  );
  assert.ok(ports.some(({ port, network }) => network === "tcp" && port === Number(new URL(url).port)));
  assert.deepEqual(await get("/debug/manifest"), { status: 200, text: '{"agent_name":"main"}\n' });
  assert.deepEqual(await get("/debug/logs"), { status: 200, text: "a line\n" });
  assert.equal((await get("/api/v0/netcheck")).status, 500);
  assert.equal((await get("/api/v0/containers")).status, 403);
  assert.equal((await get("/nothing")).status, 404);
  assert.equal(
    (await fetch(`${url}/`, { method: "POST", body: "x", headers: { connection: "close" } })).status,
    404,
  );
});

test("a failure inside is a 500, and the next request works", async (t) => {
  const url = await start(t, {
    logs: async () => {
      throw new Error("no such file");
    },
  });
  const headers = { connection: "close" };
  assert.equal((await fetch(`${url}/debug/logs`, { headers })).status, 500);
  assert.equal((await fetch(`${url}/`, { headers })).status, 200);
});
