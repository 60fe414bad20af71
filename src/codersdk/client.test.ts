import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError, newClient } from "./client.ts";
import { endpoint } from "./endpoint.ts";
import { messages, SocketClosed, type SocketLike } from "./socket.ts";
import * as w from "./wire.ts";

const Thing = w.struct("ClientThing", { name: w.string(), at: w.time(), kind: w.enums("a") });
const getThing = endpoint({
  method: "POST",
  path: "/api/v2/things/{thing}/{rest...}",
  auth: "session",
  query: { limit: "int", ids: "uuids", since: "time", max_age: "durationMs", all: "bool" },
  body: w.struct("ClientBody", { note: w.omit(w.string()) }),
  responses: { 200: Thing },
  summary: "",
});

function answering(status: number, body: string, type = "application/json; charset=utf-8") {
  const seen: { url: string; init: RequestInit | undefined }[] = [];
  const client = newClient({
    url: "http://server.test/",
    token: "secret",
    fetch: async (input, init) => {
      seen.push({ url: input instanceof Request ? input.url : input.toString(), init });
      return new Response(status === 204 ? null : body, { status, headers: { "content-type": type } });
    },
  });
  return { client, seen };
}

const input = { params: { thing: "a/b", rest: "c/d e" }, body: {} };

test("a call fills path and query, sends its token as a header, and decodes the answer", async () => {
  const { client, seen } = answering(200, '{"name":"n","at":"2026-01-02T03:04:05Z","kind":"newer","more":1}');
  const query = {
    limit: 2,
    ids: ["x", "y"],
    since: new Date("2026-01-02T00:00:00Z"),
    max_age: 5,
    all: false,
  };
  const body = await client.call(getThing, { ...input, query });
  assert.deepEqual<unknown>(body, { name: "n", at: new Date("2026-01-02T03:04:05Z"), kind: "newer" });
  assert.equal(
    seen[0]?.url,
    "http://server.test/api/v2/things/a%2Fb/c/d%20e?limit=2&ids=x%2Cy&since=2026-01-02T00%3A00%3A00Z&max_age=5ms&all=false",
  );
  assert.equal(new Headers(seen[0]?.init?.headers).get("coder-session-token"), "secret");
  assert.equal(seen[0]?.init?.body, "{}");
});

test("every other status is an error that carries what the server said", async () => {
  const { client } = answering(
    409,
    '{"message":"Taken.","detail":"d","validations":[{"field":"name","detail":"x"}]}',
  );
  await assert.rejects(client.call(getThing, input), (error) => {
    assert.ok(error instanceof ClientError);
    assert.deepEqual([error.status, error.message, error.detail], [409, "Taken.", "d"]);
    assert.deepEqual(error.validations, [{ field: "name", detail: "x" }]);
    return true;
  });
});

test("an answer that is no JSON, or not of the schema, says so and shows a piece of it", async () => {
  for (const [status, text, type] of [
    [502, "<html>proxy</html>", "text/html"],
    [200, "<html>page</html>", "text/html"],
    [200, '{"name":7}', "application/json"],
  ] as const) {
    const { client } = answering(status, text, type);
    await assert.rejects(client.call(getThing, input), (error) => {
      assert.ok(error instanceof ClientError);
      assert.equal(error.detail, text);
      return true;
    });
  }
});

class FakeSocket implements SocketLike {
  binaryType = "";
  closed: number | undefined;
  readonly #listeners = new Map<string, (event: { data: unknown; code: number; reason: string }) => void>();
  addEventListener(
    type: string,
    listener: (event: { data: unknown; code: number; reason: string }) => void,
  ): void {
    this.#listeners.set(type, listener);
  }
  emit(type: string, event: { data?: unknown; code?: number; reason?: string }): void {
    this.#listeners.get(type)?.({ data: undefined, code: 0, reason: "", ...event });
  }
  send(): void {}
  close(code?: number): void {
    this.closed ??= code;
  }
}

test("a stream gives each message and ends at 1000; another end is an error", async () => {
  for (const [code, fails] of [
    [1000, false],
    [1011, true],
  ] as const) {
    const socket = new FakeSocket();
    const got: string[] = [];
    const done = (async () => {
      for await (const text of messages(socket, undefined)) got.push(text);
    })();
    socket.emit("message", { data: "1" });
    socket.emit("message", { data: new TextEncoder().encode("2").buffer });
    socket.emit("close", { code, reason: "why" });
    if (fails) await assert.rejects(done, (error) => error instanceof SocketClosed && error.code === 1011);
    else await done;
    assert.deepEqual(got, ["1", "2"]);
  }
});

test("aborting a stream closes the socket and ends without error", async () => {
  const socket = new FakeSocket();
  const stop = new AbortController();
  const done = (async () => {
    for await (const _ of messages(socket, stop.signal)) stop.abort();
  })();
  socket.emit("message", { data: "1" });
  await Promise.resolve();
  stop.abort();
  socket.emit("close", { code: 1005, reason: "" });
  await done;
  assert.equal(socket.closed, 1000);
});
