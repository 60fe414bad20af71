/** What a peer inside the tunnel can send to the agent's ssh server: it loses its connection, nobody else theirs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { dialSsh, openSession, runCommand } from "#ssh/client.ts";
import { buildCommand } from "../command/command.ts";
import { currentUser } from "../command/user.ts";
import { hostKey } from "./hostkey.ts";
import { SshServer } from "./server.ts";

const env = { HOME: "/tmp", PATH: "/usr/local/bin:/usr/bin:/bin" };

async function start(t: TestContext): Promise<() => Promise<Socket>> {
  const facts = {
    agentName: "main",
    workspaceName: "ws",
    workspaceId: "id",
    ownerName: "alice",
    environment: {},
    directory: "/",
    vscodeProxyUri: "",
    secrets: {},
  };
  const user = { ...currentUser(env), shell: "/bin/sh" };
  const place = { env, user, token: "t", binary: "/coder", scriptBinDir: "" };
  const server = SshServer.start({
    hostKey: hostKey({ owner: "o", workspace: "w", agent: "a" }),
    clock: realClock,
    log: discardLogger,
    command: (request) => buildCommand(request, facts, place),
  });
  t.after(() => server[Symbol.asyncDispose]());
  const listener = createServer((socket) => server.serve(socket));
  t.after(() => listener.close());
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  assert.ok(address && typeof address === "object");
  return async () => {
    const socket = createConnection(address.port, "127.0.0.1");
    t.after(() => socket.destroy());
    await once(socket, "connect");
    return socket;
  };
}

const ident = "SSH-2.0-hostile\r\n";

/** An unencrypted packet: length, padding length, payload. */
function packet(length: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 0);
  head.writeUInt8(4, 4);
  return Buffer.concat([head, body]);
}

test("garbage, giants and endless lines end their own connection", async (t) => {
  const dial = await start(t);
  const rand = seededRand("hostile-ssh");
  const good = await dialSsh(await dial());
  t.after(() => good.end());
  const cases: readonly (readonly [string, Buffer])[] = [
    ["no ssh", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20))],
    ["a line without end", Buffer.alloc(1 << 20, "a")],
    ["another version", Buffer.from("SSH-1.0-old\r\n")],
    ["a packet of 4 GiB", Buffer.concat([Buffer.from(ident), packet(0xffffffff, rand.bytes(64))])],
    ["a packet of nothing", Buffer.concat([Buffer.from(ident), packet(0, rand.bytes(64))])],
    ["a short key exchange", Buffer.concat([Buffer.from(ident), packet(12, Buffer.from([20, 1, 2, 3]))])],
    ["noise", Buffer.concat([Buffer.from(ident), rand.bytes(100_000)])],
  ];
  for (const [what, bytes] of cases) {
    const socket = await dial();
    const ended = once(socket, "close");
    socket.on("error", () => {});
    socket.resume();
    socket.end(bytes);
    await ended;
    assert.equal((await runCommand(good, "echo fine")).stdout, "fine\n", what);
  }
});

test("sizes that no terminal has leave a working terminal", async (t) => {
  const dial = await start(t);
  const client = await dialSsh(await dial());
  t.after(() => client.end());
  for (const [cols, rows] of [
    [0, 0],
    [0xffffffff, 0xffffffff],
    [1, 0x10000],
  ] as const) {
    const terminal = { term: "x".repeat(5_000), cols, rows };
    const { channel, exited } = await openSession(client, "echo up; read -r line; echo got $line", {
      terminal,
    });
    channel.setWindow(0xffffffff, 0, 0xffffffff, 0);
    channel.setWindow(0, 0xffffffff, 0, 0);
    channel.end("typed\r");
    const shown = await text(channel);
    assert.match(shown, /got typed/, `${cols} × ${rows}`);
    assert.equal(await exited, 0);
  }
});
