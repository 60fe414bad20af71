import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { WebSocketServer, type WebSocket } from "ws";
import { drpcClient } from "../drpc/client.ts";
import { drpcRouter, serveSession } from "../drpc/server.ts";
import { ProvisionerDaemon } from "../gen/provisionerd_pb.js";
import { YamuxSession } from "../yamux/session.ts";
import { dialWebSocket, HandshakeError } from "./dial.ts";
import { wsDuplex } from "./duplex.ts";

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `ws://127.0.0.1:${port}/`;
}

async function serve(t: TestContext, onSocket: (ws: WebSocket) => void): Promise<string> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on("connection", onSocket);
  t.after(() => sockets.clients.forEach((ws) => ws.terminate()));
  return listen(t, server);
}

test("bytes arrive in order both ways, and ending closes", async (t) => {
  const url = await serve(t, (ws) => {
    const stream = wsDuplex(ws);
    stream.pipe(stream);
  });
  const stream = wsDuplex(await dialWebSocket(url));
  const sent = Buffer.alloc(700_000, "abcdefg");
  stream.write(sent);
  let got = 0;
  for await (const part of stream.iterator({ destroyOnReturn: false })) {
    got += Buffer.from(part).length;
    if (got === sent.length) break;
  }
  assert.equal(got, sent.length);
  stream.end();
  await once(stream.resume(), "close");
});

test("yamux and DRPC work on top", async (t) => {
  const url = await serve(t, (ws) => {
    const session = YamuxSession.start(wsDuplex(ws), { role: "server" });
    void serveSession(
      session,
      drpcRouter(ProvisionerDaemon, { updateJob: (request) => ({ canceled: request.jobId === "x" }) }),
    );
  });
  await using session = YamuxSession.start(wsDuplex(await dialWebSocket(url)), { role: "client" });
  const client = drpcClient(ProvisionerDaemon, () => session.open());
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => client.updateJob({ jobId: i % 2 === 0 ? "x" : "y" })),
  );
  assert.equal(answers.filter((answer) => answer.canceled).length, 100);
});

test("a refusal carries status and body", async (t) => {
  const server = createServer();
  server.on("upgrade", (_request, socket) => {
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope");
  });
  const url = await listen(t, server);
  await assert.rejects(dialWebSocket(url), (error) => {
    assert.ok(error instanceof HandshakeError);
    assert.equal(error.status, 403);
    assert.equal(error.body, "nope");
    return true;
  });
});

test("an abnormal close is an error, a normal one the end", async (t) => {
  const url = await serve(t, (ws) => {
    ws.once("message", (data) => ws.close(Number(Buffer.isBuffer(data) ? data.toString() : 0), "because"));
  });
  const normal = wsDuplex(await dialWebSocket(url));
  normal.write("1000");
  assert.equal((await buffer(normal)).length, 0);
  const broken = wsDuplex(await dialWebSocket(url));
  broken.write("1011");
  await assert.rejects(buffer(broken), /status 1011: because/);
});

test("a text message is refused", async (t) => {
  const url = await serve(t, (ws) => ws.send("text"));
  const stream = wsDuplex(await dialWebSocket(url));
  await assert.rejects(buffer(stream), /text message/);
});

test("a stream that is destroyed while bytes come in lets go of its connection", async (t) => {
  const closed = Promise.withResolvers<void>();
  const url = await serve(t, (ws) => {
    ws.on("close", () => closed.resolve());
    // They are on their way, or in the peer's receive buffer, when the peer closes.
    for (let n = 0; n < 200; n++) ws.send(Buffer.alloc(10_000));
  });
  const socket = await dialWebSocket(url);
  const stream = wsDuplex(socket);
  stream.once("data", () => stream.destroy());
  const begin = realClock.monotonic();
  await Promise.all([closed.promise, once(socket, "close")]);
  // Not by the library's patience of 30 s.
  assert.ok(realClock.monotonic() - begin < 10_000);
});
