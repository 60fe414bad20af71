/** Bytes that no client of ours sends, over a plain socket: a clear refusal, and the server goes on. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { newServer } from "../coderdtest/coderdtest.ts";

interface Talk {
  readonly socket: Socket;
  /** Everything that came, when the server has closed. */
  readonly closed: Promise<string>;
}

async function talk(t: TestContext, url: string): Promise<Talk> {
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  t.after(() => socket.destroy());
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  const closed = new Promise<string>((resolve) => {
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(parts).toString("latin1")));
  });
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return { socket, closed };
}

const head = (more: string): string =>
  `POST /api/v2/users/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n${more}\r\n`;

test("requests that are no HTTP are refused with a status, and the next one is served", async (t) => {
  const server = await newServer(t);
  const cases: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ["garbage", Buffer.from([0, 1, 2, 255, 10, 13, 10]), /^HTTP\/1\.1 400 /],
    [
      "a header without end",
      `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(100_000)}`,
      /^HTTP\/1\.1 431 /,
    ],
    ["many headers", head("A: b\r\n".repeat(20_000)), /^HTTP\/1\.1 431 /],
    ["two lengths", head("Content-Length: 1\r\nContent-Length: 2\r\n"), /^HTTP\/1\.1 400 /],
    ["length and chunks", head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), /^HTTP\/1\.1 400 /],
    ["a chunk of no length", `${head("Transfer-Encoding: chunked\r\n")}zz\r\n`, /^HTTP\/1\.1 400 /],
    ["a length that is none", head("Content-Length: -5\r\n"), /^HTTP\/1\.1 400 /],
    ["an announced giant", head("Content-Length: 99999999999\r\n"), /^HTTP\/1\.1 413 /],
  ];
  for (const [what, bytes, answer] of cases) {
    const { socket, closed } = await talk(t, server.url);
    socket.end(bytes);
    assert.match(await closed, answer, what);
  }
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
});

test("a body without end is cut off at its limit, whatever it announced", async (t) => {
  const server = await newServer(t);
  const { socket, closed } = await talk(t, server.url);
  socket.write(head("Transfer-Encoding: chunked\r\n"));
  const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
  let sent = 0;
  let open = true;
  void closed.then(() => (open = false));
  while (open && sent < 512 * chunk.length) {
    sent += chunk.length;
    if (!socket.write(chunk)) {
      await Promise.race([closed, new Promise<void>((resolve) => socket.once("drain", () => resolve()))]);
    }
  }
  assert.match(await closed, /^HTTP\/1\.1 413 /);
  assert.ok(sent < 512 * chunk.length, `${sent} bytes were taken`);
});

test("JSON that is deep, huge in numbers or no JSON is 400 with the field or the reason, never 500", async (t) => {
  const server = await newServer(t);
  await server.createFirstUser();
  const bodies = [
    "[".repeat(200_000),
    `{"email":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
    `{"email":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}`,
    `{"email":1e999999}`,
    `{"email":"a@b.c","password":${"9".repeat(100_000)}}`,
    `{"__proto__":{"email":"x"},"constructor":1}`,
    `{"email":"\\ud800","password":"\\u0000"}`,
    "\u0000",
    "{}{}",
    "nul",
    '"text"',
  ];
  for (const body of bodies) {
    const answer = await fetch(`${server.url}/api/v2/users/login`, { method: "POST", body });
    const text = await answer.text();
    assert.ok([400, 401].includes(answer.status), `${answer.status} for ${body.slice(0, 40)}`);
    assert.ok(text.length < 10_000, `${text.length} bytes of answer`);
    assert.ok("message" in JSON.parse(text));
  }
});
