import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { endpoint } from "#codersdk/endpoint.ts";
import * as w from "#codersdk/wire.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { type Clock, realClock } from "#quartz/clock.ts";
import { MockClock } from "#quartz/mock.ts";
import { discardLogger } from "#slog/slog.ts";
import { Conflict, NotFound, Unauthorized } from "../errors.ts";
import { bind, type BoundRoute } from "./bind.ts";
import { byteStream, eventStream, jsonStream, messageStream, reply } from "./reply.ts";
import { HttpServer } from "./server.ts";
import { toBuffer } from "./socket.ts";
import { actors } from "../rbac/actors.ts";

const Thing = w.struct("TestThing", { name: w.string("required,username"), count: w.int() });

const routes: BoundRoute[] = [
  bind(
    endpoint({
      method: "POST",
      path: "/api/v2/things/{thing}",
      auth: "none",
      query: { limit: "int", id: "uuid" },
      body: Thing,
      responses: { 200: Thing, 201: Thing },
      summary: "",
    }),
    (_ctx, req) => {
      if (req.params.thing === "missing") throw new NotFound();
      if (req.params.thing === "taken") {
        throw new Conflict("The name is taken.", { validations: [{ field: "name", detail: "taken" }] });
      }
      if (req.params.thing === "bug") throw new Error("secret of ours");
      const { limit } = req.query();
      const body = req.body();
      return limit > 0 ? reply(201, { ...body, count: limit }) : body;
    },
  ),
  bind(
    endpoint({
      method: "GET",
      path: "/api/v2/things/{thing}",
      auth: "none",
      uuidParams: ["thing"],
      responses: { 200: w.list(w.string()) },
      stream: ["sse", "websocket"],
      summary: "",
    }),
    (_ctx, req) => {
      async function* values(): AsyncGenerator<string> {
        yield "a";
        yield "b";
      }
      switch (req.search.get("how")) {
        case "json":
          return jsonStream(w.string(), values);
        case "sse":
          return eventStream("sse", w.string(), async function* () {
            yield { type: "ping" };
            yield { type: "data", data: "x" };
          });
        case "wait":
          return jsonStream(w.string(), async function* (signal) {
            yield "first";
            await new Promise<void>((resolve) =>
              signal.addEventListener("abort", () => resolve(), { once: true }),
            );
          });
        case "events":
          return eventStream("websocket", w.string(), async function* (signal) {
            yield { type: "data", data: "x" };
            await new Promise<void>((resolve) =>
              signal.addEventListener("abort", () => resolve(), { once: true }),
            );
          });
        case "fail":
          return jsonStream(w.string(), async function* () {
            yield "a";
            throw new Error("no more");
          });
        case "echo":
          return messageStream(async (socket) => {
            for await (const message of socket.messages()) await socket.send(message.data.toString());
          });
        case "bytes":
          return byteStream(async (stream) => {
            for await (const chunk of stream) stream.write(chunk);
          });
        default:
          return [req.params.thing];
      }
    },
  ),
];

async function start(t: TestContext, clock: Clock = realClock): Promise<string> {
  return (await startServer(t, clock)).url;
}

async function startServer(t: TestContext, clock: Clock): Promise<{ server: HttpServer; url: string }> {
  const server = await HttpServer.start({
    routes,
    guard: async () => ({ kind: "anonymous", error: new Unauthorized("no") }),
    clientIp: () => "127.0.0.1",
    clock,
    rand: cryptoRand,
    log: discardLogger,
    version: "v2.34.5",
    nobody: actors.nobody,
    checkResponses: true,
  });
  t.after(() => server[Symbol.asyncDispose]());
  return { server, url: await server.app.listen({ port: 0, host: "127.0.0.1" }) };
}

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** `fetch` normalises paths and adds headers; this sends what it is told. */
function send(url: string, method: string, path: string, body?: string, headers = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const out = httpRequest({ hostname, port, method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    out.on("error", reject);
    out.end(body);
  });
}

const id = "0a0b0c0d-0000-4000-8000-000000000001";

test("bodies are JSON whatever their content type, and answers end with a newline", async (t) => {
  const url = await start(t);
  for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "nonsense"]) {
    const headers = type === undefined ? {} : { "content-type": type };
    const answer = await send(url, "POST", "/api/v2/things/x", '{"name":"a"} trailing', headers);
    assert.equal(answer.text, '{"name":"a","count":0}\n');
    assert.equal(answer.headers["content-type"], "application/json; charset=utf-8");
  }
});

test("every answer carries the conventions' headers", async (t) => {
  const url = await start(t);
  for (const [method, path] of [
    ["GET", "/api/v2/none"],
    ["PUT", "/api/v2/things/x"],
    ["POST", "/api/v2/things/bug"],
  ] as const) {
    const { headers } = await send(url, method, path);
    assert.equal(headers["x-coder-build-version"], "v2.34.5");
    assert.match(String(headers["x-coder-request-id"]), /^[0-9a-f-]{36}$/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["vary"], "Origin, Cookie");
  }
});

test("slashes are collapsed, one at the end does not matter, uuids come in canonical form", async (t) => {
  const url = await start(t);
  for (const path of [
    `/api/v2/things/${id}/`,
    `//api//v2///things/${id}`,
    `/api/v2/things/%7B${id.toUpperCase()}%7D`,
  ]) {
    assert.equal((await send(url, "GET", path)).text, `["${id}"]\n`);
  }
  const bad = await send(url, "GET", "/api/v2/things/zz");
  assert.equal(bad.status, 400);
  assert.equal(bad.text, '{"message":"Invalid UUID \\"zz\\"."}\n');
});

test("unknown paths are 404 as JSON, wrong methods 405 without body, HEAD is no GET", async (t) => {
  const url = await start(t);
  const unknown = await send(url, "GET", "/api/v2/nothing");
  assert.deepEqual([unknown.status, unknown.text], [404, '{"message":"Route not found."}\n']);
  for (const method of ["DELETE", "HEAD", "PATCH"]) {
    const wrong = await send(url, method, `/api/v2/things/${id}`);
    assert.deepEqual([wrong.status, wrong.text, wrong.headers["allow"]], [405, "", "GET, POST"]);
  }
});

test("errors are mapped once, and a bug keeps its reason to itself", async (t) => {
  const url = await start(t);
  const missing = await send(url, "POST", "/api/v2/things/missing", "{");
  assert.equal(missing.status, 404);
  assert.match(missing.text, /Resource not found or you do not have access to this resource/);
  const taken = await send(url, "POST", "/api/v2/things/taken");
  assert.equal(taken.status, 409);
  assert.deepEqual(JSON.parse(taken.text), {
    message: "The name is taken.",
    validations: [{ field: "name", detail: "taken" }],
  });
  const bug = await send(url, "POST", "/api/v2/things/bug");
  assert.equal(bug.status, 500);
  assert.doesNotMatch(bug.text, /secret/);
});

test("bad bodies and queries are 400, all failing fields at once", async (t) => {
  const url = await start(t);
  for (const body of ["{", "", "[]", '{"name":1}', "\u0000", "[".repeat(200_000)]) {
    const answer = await send(url, "POST", "/api/v2/things/x", body);
    assert.equal(answer.status, 400, body.slice(0, 20));
    assert.equal(JSON.parse(answer.text).message, "Request body must be valid JSON.");
  }
  const query = await send(url, "POST", "/api/v2/things/x?limit=-1&id=zz&other=1", '{"name":"a"}');
  assert.deepEqual(
    JSON.parse(query.text).validations.map((failure: { field: string }) => failure.field),
    ["limit", "id"],
  );
  const large = await send(url, "POST", "/api/v2/things/x", " ".repeat(1024 * 1024 + 1));
  assert.equal(large.status, 413);
  const other = await send(url, "POST", "/api/v2/things/x?limit=7", '{"name":"a"}');
  assert.deepEqual([other.status, JSON.parse(other.text)], [201, { name: "a", count: 7 }]);
});

interface Closed {
  readonly messages: string[];
  readonly code: number;
  readonly reason: string;
}

function watch(url: string, first?: string | Buffer): Promise<Closed> {
  return new Promise((resolve, reject) => {
    const messages: string[] = [];
    const socket = new WebSocket(url.replace("http", "ws"));
    socket.on("error", reject);
    socket.on("open", () => first !== undefined && socket.send(first));
    socket.on("message", (data) => {
      messages.push(toBuffer(data).toString());
      if (first !== undefined) socket.close(1000);
    });
    socket.on("close", (code, reason) => resolve({ messages, code, reason: reason.toString() }));
  });
}

test("streams: one JSON value a message, done with 1000, failed with 1011", async (t) => {
  const url = await start(t);
  assert.deepEqual(await watch(`${url}/api/v2/things/${id}?how=json`), {
    messages: ['"a"\n', '"b"\n'],
    code: 1000,
    reason: "done",
  });
  assert.deepEqual(await watch(`${url}/api/v2/things/${id}?how=fail`), {
    messages: ['"a"\n'],
    code: 1011,
    reason: "no more",
  });
  assert.deepEqual((await watch(`${url}/api/v2/things/${id}?how=echo`, "hello")).messages, ["hello"]);
  assert.deepEqual((await watch(`${url}/api/v2/things/${id}?how=bytes`, Buffer.from("bytes"))).messages, [
    "bytes",
  ]);
});

test("a socket refuses messages above 32 KiB and data where none is due", async (t) => {
  const url = await start(t);
  const large = await watch(`${url}/api/v2/things/${id}?how=echo`, "x".repeat(32 * 1024 + 1));
  assert.equal(large.code, 1009);
});

test("a plain GET of a socket is 426, a foreign origin 403, an error before the upgrade is JSON", async (t) => {
  const url = await start(t);
  const plain = await send(url, "GET", `/api/v2/things/${id}?how=json`);
  assert.deepEqual([plain.status, plain.headers["upgrade"]], [426, "websocket"]);
  await assert.rejects(
    new Promise((_, reject) => {
      const socket = new WebSocket(`${url.replace("http", "ws")}/api/v2/things/${id}?how=json`, {
        origin: "https://evil.test",
      });
      socket.on("error", reject);
    }),
    /403/,
  );
  await assert.rejects(watch(`${url}/api/v2/things/zz`), /400/);
});

test("server-sent events put the event line first", async (t) => {
  const url = await start(t);
  const answer = await send(url, "GET", `/api/v2/things/${id}?how=sse`);
  assert.equal(answer.text, 'event: ping\n\nevent: data\ndata: "x"\n\n');
  assert.equal(answer.headers["content-type"], "text/event-stream");
  assert.equal(answer.headers["cache-control"], "no-cache");
});

interface Opened {
  readonly socket: WebSocket;
  readonly first: Promise<string>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

function open(url: string, options: { autoPong?: boolean } = {}): Opened {
  const socket = new WebSocket(url.replace("http", "ws"), options);
  socket.on("error", () => {});
  return {
    socket,
    first: new Promise((resolve) => socket.once("message", (data) => resolve(toBuffer(data).toString()))),
    closed: new Promise((resolve) =>
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
    ),
  };
}

test("an accepted upgrade carries the conventions' headers", async (t) => {
  const url = await start(t);
  const { socket, first } = open(`${url}/api/v2/things/${id}?how=wait`);
  const headers = await new Promise<Record<string, unknown>>((resolve) =>
    socket.once("upgrade", (response) => resolve(response.headers)),
  );
  await first;
  assert.equal(headers["x-coder-build-version"], "v2.34.5");
  assert.equal(headers["vary"], "Cookie");
  socket.terminate();
});

test("one-way sockets refuse what clients send", async (t) => {
  const url = await start(t);
  for (const [how, code] of [
    ["events", 1002],
    ["wait", 1008],
  ] as const) {
    const { socket, first, closed } = open(`${url}/api/v2/things/${id}?how=${how}`);
    await first;
    socket.send("hello");
    assert.equal((await closed).code, code);
  }
});

test("a peer that does not answer pings is closed, one that does is kept", async (t) => {
  const clock = new MockClock();
  const { url } = await startServer(t, clock);
  const path = `${url}/api/v2/things/${id}?how=wait`;
  const silent = open(path, { autoPong: false });
  const alive = open(path);
  await Promise.all([silent.first, alive.first]);
  const pinged = Promise.all(
    [silent, alive].map(({ socket }) => new Promise((resolve) => socket.once("ping", resolve))),
  );
  await clock.advance(15_000);
  await pinged;
  // The pong of the one that lives has to arrive before the next round.
  await new Promise<void>((resolve) => {
    alive.socket.once("pong", () => resolve());
    alive.socket.ping();
  });
  await clock.advance(15_000);
  assert.deepEqual(await silent.closed, { code: 1001, reason: "Ping failed" });
  assert.equal(alive.socket.readyState, WebSocket.OPEN);
  alive.socket.close();
  await alive.closed;
});

test("a shutdown says goodbye to open sockets", async (t) => {
  const { server, url } = await startServer(t, realClock);
  const { first, closed } = open(`${url}/api/v2/things/${id}?how=wait`);
  await first;
  await server[Symbol.asyncDispose]();
  assert.equal((await closed).code, 1001);
});

test("a client that leaves ends what runs for it", async (t) => {
  const url = await start(t);
  const { socket, first, closed } = open(`${url}/api/v2/things/${id}?how=wait`);
  await first;
  socket.terminate();
  await closed;
  // The server would wait for the stream at its end, and this test with it, if the stream had not ended.
});
