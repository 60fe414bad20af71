import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { dialSsh, openSession, runCommand } from "#ssh/client.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { buildCommand } from "../command/command.ts";
import { currentUser } from "../command/user.ts";
import { hostKey } from "./hostkey.ts";
import type { SshOptions } from "./options.ts";
import { SshServer } from "./server.ts";

const agentEnv = { HOME: "/tmp", PATH: "/usr/local/bin:/usr/bin:/bin" };

function startServer(
  t: TestContext,
  options: Partial<SshOptions> = {},
): { server: SshServer; readonly dial: () => Promise<Duplex> } {
  const server = SshServer.start({
    hostKey: hostKey({ owner: "o", workspace: "w", agent: "a" }),
    clock: realClock,
    log: discardLogger,
    command: (request) =>
      buildCommand(
        request,
        {
          agentName: "main",
          workspaceName: "ws",
          workspaceId: "id",
          ownerName: "alice",
          environment: {},
          directory: "/",
          vscodeProxyUri: "",
          secrets: {},
        },
        {
          env: agentEnv,
          user: { ...currentUser(agentEnv), shell: "/bin/sh" },
          token: "t",
          binary: "/coder",
          scriptBinDir: "",
        },
      ),
    ...options,
  });
  t.after(() => server[Symbol.asyncDispose]());
  return {
    server,
    async dial() {
      const [ours, theirs] = await socketPair(t);
      server.serve(theirs);
      return ours;
    },
  };
}

/** Both ends of a TCP connection: ssh2 cannot take a stream that delivers while it is being written to. */
async function socketPair(t: TestContext): Promise<[Socket, Socket]> {
  const listener = createServer();
  t.after(() => listener.close());
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", () => resolve()));
  const accepted = once(listener, "connection");
  const ours = createConnection(portOf(listener), "127.0.0.1");
  const [theirs] = await accepted;
  t.after(() => (ours.destroy(), theirs.destroy()));
  return [ours, theirs];
}

function portOf(listener: Server): number {
  const address = listener.address();
  assert.ok(address && typeof address === "object");
  return address.port;
}

async function connect(t: TestContext, options: Partial<SshOptions> = {}) {
  const { dial, server } = startServer(t, options);
  const client = await dialSsh(await dial());
  t.after(() => client.end());
  return { client, server };
}

test("a command: its streams, its code, its environment", async (t) => {
  const { client } = await connect(t);
  const done = await runCommand(client, "cat; echo err >&2; echo $CODER_WORKSPACE_NAME; exit 7", {
    input: "in\n",
  });
  assert.deepEqual({ ...done }, { stdout: "in\nws\n", stderr: "err\n", code: 7 });
});

test("results of the recorded sessions", async (t) => {
  const { client } = await connect(t);
  for (const [command, code] of [
    ["exit 7", 7],
    ["kill -9 $$", 255],
    ["definitely-not-a-command-here", 127],
  ] as const) {
    assert.equal((await runCommand(client, command)).code, code, command);
  }
  const terminal = { terminal: { term: "xterm", cols: 80, rows: 24 } };
  assert.equal((await runCommand(client, "exit 3", terminal)).code, 3);
  assert.equal((await runCommand(client, "kill -TERM $$", terminal)).code, 255);
  const long = await runCommand(client, "seq 1 200000; exit 4", terminal);
  assert.equal(long.code, 4);
  // 1,288,895 bytes of numbers; the terminal shows each newline as two.
  assert.equal(long.stdout.length, 1_288_895 + 200_000);
});

test("a terminal has its name and size and follows the window", async (t) => {
  const { client } = await connect(t);
  const { channel, exited } = await openSession(
    client,
    "echo $TERM; stty size; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done",
    { terminal: { term: "vt220", cols: 100, rows: 30 } },
  );
  let shown = "";
  channel.on("data", (bytes: Buffer) => {
    shown += bytes.toString();
    if (shown.endsWith("ready\r\n")) channel.setWindow(40, 120, 0, 0);
  });
  await exited;
  assert.equal(shown, "vt220\r\n30 100\r\nready\r\n40 120\r\n");
});

test("a login shell greets with announcements and is driven by typing", async (t) => {
  const { client } = await connect(t, { banners: () => ["  Maintenance\nat noon ", ""] });
  const { channel, exited } = await openSession(client, "", {
    terminal: { term: "dumb", cols: 80, rows: 24 },
  });
  channel.end("exit 5\r");
  const [shown, code] = await Promise.all([text(channel), exited]);
  assert.match(shown, /^Maintenance\r\nat noon\r\n\r\n/u);
  assert.equal(code, 5);
});

test("signals reach the process", async (t) => {
  const { client } = await connect(t);
  const { channel, exited } = await openSession(
    client,
    "trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done",
  );
  channel.once("data", () => channel.signal("USR1"));
  assert.equal(await exited, 9);
});

test("variables are passed, the session's kind is taken out and reported", async (t) => {
  const seen: unknown[] = [];
  const { client } = await connect(t, {
    onSession: (kind) => (code, reason) => void seen.push([kind, code, reason]),
  });
  const env = { CODER_SSH_SESSION_TYPE: "VSCode", MINE: "x y" };
  const done = await runCommand(client, 'echo "$MINE:$CODER_SSH_SESSION_TYPE"; exit 2', { env });
  assert.equal(done.stdout, "x y:\n");
  assert.deepEqual(seen, [["vscode", 2, "process exited with error status: 2"]]);
});

test("a command that cannot start answers 229 with the reason; the next one works", async (t) => {
  let fail = true;
  const { client } = await connect(t, {
    command: () => {
      if (fail) throw new Error("no manifest");
      return { file: "/bin/echo", args: ["ok"], env: {}, cwd: "/" };
    },
  });
  const failed = await runCommand(client, "x");
  assert.equal(failed.code, 229);
  assert.match(failed.stderr, /no manifest/u);
  fail = false;
  assert.equal((await runCommand(client, "x")).stdout, "ok\n");
});

test("blocked features", async (t) => {
  const { client } = await connect(t, { blockFileTransfer: true, blockLocalForwarding: true });
  assert.equal((await runCommand(client, "/usr/bin/scp -t /tmp")).code, 65);
  assert.equal((await runCommand(client, "echo scp")).code, 0);
  await assert.rejects(
    new Promise((resolve, reject) => {
      client.forwardOut("127.0.0.1", 1, "127.0.0.1", 22, (error, channel) =>
        error ? reject(error) : resolve(channel),
      );
    }),
  );
});

test("forwards: local and remote, and a refused port", async (t) => {
  const { client } = await connect(t);
  const echo = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", () => resolve()));
  t.after(() => echo.close());
  const port = portOf(echo);
  const local = await new Promise<Duplex>((resolve, reject) => {
    client.forwardOut("127.0.0.1", 1, "127.0.0.1", port, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });
  local.end("through");
  assert.equal(await text(local), "through");
  await assert.rejects(
    new Promise((resolve, reject) => {
      client.forwardOut("127.0.0.1", 1, "127.0.0.1", 1, (error, channel) =>
        error ? reject(error) : resolve(channel),
      );
    }),
  );
  client.on("tcp connection", (_info, accept) => {
    const channel = accept();
    channel.end("from the client");
    channel.resume();
  });
  const bound = await new Promise<number>((resolve, reject) => {
    client.forwardIn("127.0.0.1", 0, (error, at) => (error ? reject(error) : resolve(at)));
  });
  assert.equal(await text(createConnection(bound, "127.0.0.1")), "from the client");
});

test("closing the server ends sessions and hangs their processes up", async (t) => {
  const { client, server } = await connect(t);
  const { channel, exited } = await openSession(client, "echo ready; sleep 60");
  await once(channel, "data");
  const closed = once(client, "close");
  const begin = realClock.monotonic();
  await server[Symbol.asyncDispose]();
  await closed;
  assert.equal(await exited, 255);
  assert.ok(realClock.monotonic() - begin < 4000);
});

test("bytes that are not ssh close that connection only", async (t) => {
  const { dial } = startServer(t);
  const bad = await dial();
  bad.write("SSH-2.0-x\r\n");
  bad.write(Buffer.alloc(100_000, 0xff));
  bad.resume();
  await once(bad, "close").catch(() => {});
  const client = await dialSsh(await dial());
  assert.equal((await runCommand(client, "echo fine")).stdout, "fine\n");
  client.end();
});
