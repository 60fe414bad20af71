import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { WebSocketServer, type WebSocket } from "ws";
import { Agent as AgentService, Lifecycle_State, ManifestSchema, Timing_Status } from "#rpc/gen/agent_pb.js";
import { drpcRouter, serveSession } from "#rpc/drpc/server.ts";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { dialSsh, runCommand } from "#ssh/client.ts";
import { uuidBytes } from "#tailnet/addresses.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { Agent } from "./agent.ts";
import type { AgentNetwork, NetworkOptions } from "./network.ts";

const id = (last: string) => uuidBytes(`aaaaaaaa-0000-4000-8000-0000000000${last}`);

interface FakeServer {
  readonly url: string;
  readonly states: Lifecycle_State[];
  readonly logs: string[];
  readonly reports: { readonly status: Timing_Status; readonly exitCode: number }[];
  readonly metadata: Map<string, string>;
  readonly connections: { readonly action: number; readonly statusCode: number; readonly ip: string }[];
  readonly versions: string[];
  startups: number;
  /** Cuts the current connection. */
  drop(): void;
  /** After the agent has ended: its last reports wait for the server. */
  close(): void;
  /** Calls fail while set. */
  failLogs: boolean;
  logLimit: boolean;
}

/** A server that knows only the RPC; `minor` is the highest version that it takes. */
async function fakeServer(
  manifest: Pick<MessageInitShape<typeof ManifestSchema>, "scripts" | "metadata" | "secrets">,
  minor = 9,
): Promise<FakeServer> {
  const sockets = new Set<WebSocket>();
  const http = createHttpServer((_request, response) => response.writeHead(404).end());
  const wss = new WebSocketServer({ noServer: true });
  const fake: FakeServer = {
    url: "",
    states: [],
    logs: [],
    reports: [],
    metadata: new Map(),
    connections: [],
    versions: [],
    startups: 0,
    failLogs: false,
    logLimit: false,
    close: () => {},
    drop: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
  const router = drpcRouter(AgentService, {
    getManifest: () =>
      create(ManifestSchema, {
        agentId: id("01"),
        workspaceId: id("02"),
        agentName: "main",
        workspaceName: "ws",
        ownerUsername: "alice",
        directory: "/",
        scripts: manifest.scripts ?? [],
        metadata: manifest.metadata ?? [],
        secrets: manifest.secrets ?? [],
      }),
    getAnnouncementBanners: () => ({ announcementBanners: [] }),
    updateStartup: ({ startup }) => (fake.startups++, startup ?? {}),
    updateStats: () => ({ reportInterval: { seconds: 3600n, nanos: 0 } }),
    updateLifecycle: ({ lifecycle }) => {
      fake.states.push(lifecycle?.state ?? 0);
      return lifecycle ?? {};
    },
    batchCreateLogs: ({ logs }) => {
      if (fake.failLogs) throw new Error("the database is away");
      if (fake.logLimit) return { logLimitExceeded: true };
      fake.logs.push(...logs.map(({ output }) => output));
      return { logLimitExceeded: false };
    },
    batchUpdateMetadata: ({ metadata }) => {
      for (const { key, result } of metadata) fake.metadata.set(key, `${result?.value}|${result?.error}`);
      return {};
    },
    scriptCompleted: ({ timing }) => {
      if (timing) fake.reports.push({ status: timing.status, exitCode: timing.exitCode });
      return {};
    },
    reportConnection: ({ connection }) => {
      if (connection) fake.connections.push(connection);
      return {};
    },
  });
  http.on("upgrade", (request, socket, head) => {
    const asked = new URL(request.url ?? "", "http://x").searchParams.get("version") ?? "";
    fake.versions.push(asked);
    if (Number(asked.split(".")[1]) > minor) {
      const body = JSON.stringify({
        message: "Unknown or unsupported API version",
        validations: [
          {
            field: "version",
            detail: `server is at version 2.${minor}, behind requested minor version ${asked}`,
          },
        ],
      });
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
      return;
    }
    wss.handleUpgrade(request, socket, head, (ws) => {
      sockets.add(ws);
      ws.once("close", () => sockets.delete(ws));
      const session = YamuxSession.start(wsDuplex(ws), { role: "server", clock: realClock });
      void serveSession(session, router).catch(() => {});
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", () => resolve()));
  const address = http.address();
  assert.ok(address && typeof address === "object");
  const close = (): void => {
    fake.drop();
    http.close();
  };
  return Object.assign(fake, { close, url: `http://127.0.0.1:${address.port}` });
}

async function startAgent(t: TestContext, server: FakeServer) {
  const dir = await tempDir(t);
  let network: NetworkOptions | undefined;
  let networks = 0;
  const agent = Agent.start({
    url: server.url,
    token: async () => "11111111-1111-4111-8111-111111111111",
    clock: realClock,
    rand: cryptoRand,
    log: discardLogger,
    env: { HOME: dir, PATH: process.env["PATH"] },
    binary: "/coder",
    logDir: dir,
    scriptDataDir: dir,
    version: "v2.34.5+test",
    startNetwork: async (given): Promise<AgentNetwork> => {
      networks++;
      network = given;
      const idle = (signal: AbortSignal): Promise<void> =>
        new Promise((resolve) => {
          if (signal.aborted) return resolve();
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      return {
        update: () => {},
        coordinate: (_tailnet, signal) => idle(signal),
        followDerpMaps: (_tailnet, signal) => idle(signal),
        traffic: () => undefined,
        node: () => undefined,
        [Symbol.asyncDispose]: async () => {},
      };
    },
  });
  t.after(async () => {
    await agent[Symbol.asyncDispose]();
    server.close();
  });
  /** A connection to a port of the agent, as the tailnet would hand it over. */
  async function dial(port: number) {
    const given = await eventually("the network starts", () => network);
    const listener = createServer();
    t.after(() => listener.close());
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", () => resolve()));
    const address = listener.address();
    assert.ok(address && typeof address === "object");
    const accepted = once(listener, "connection");
    const ours = createConnection(address.port, "127.0.0.1");
    const [theirs] = await accepted;
    t.after(() => (ours.destroy(), theirs.destroy()));
    given.accept(port)?.(theirs, "fd7a::1");
    return ours;
  }
  return { agent, dir, dial, networks: () => networks };
}

function script(text: string, more: object = {}) {
  return {
    logSourceId: id("51"),
    logPath: "",
    cron: "",
    runOnStart: true,
    runOnStop: false,
    startBlocksLogin: false,
    displayName: "",
    id: id("52"),
    script: text,
    ...more,
  };
}

test("an agent starts: scripts run, logs arrive, the lifecycle becomes ready, ssh answers", async (t) => {
  const server = await fakeServer({ scripts: [script("echo out; echo err >&2; printf rest")] });
  const { dial, dir } = await startAgent(t, server);
  await eventually("ready", () => server.states.includes(Lifecycle_State.READY));
  await eventually("logs", () => server.logs.length >= 3);
  assert.deepEqual(server.states, [Lifecycle_State.STARTING, Lifecycle_State.READY]);
  assert.deepEqual([...server.logs].sort(), ["err", "out", "rest"]);
  assert.deepEqual(server.reports, [{ status: Timing_Status.OK, exitCode: 0 }]);
  assert.equal(server.startups, 1);
  assert.match(
    readFileSync(join(dir, "coder-script-aaaaaaaa-0000-4000-8000-000000000051.log"), "utf8"),
    /out/u,
  );
  const client = await dialSsh(await dial(1));
  assert.equal((await runCommand(client, "echo $CODER_WORKSPACE_NAME; exit 3")).code, 3);
  client.end();
  await eventually("the connection report", () => server.connections.length === 2);
  assert.deepEqual(
    server.connections.map(({ action, statusCode, ip }) => [action, statusCode, ip]),
    [
      [1, 0, "fd7a::1"],
      [2, 3, "fd7a::1"],
    ],
  );
});

test("a lost connection is dialled again; what was started goes on and is reported once", async (t) => {
  const server = await fakeServer({ scripts: [script("echo before; sleep 0.4; echo after")] });
  const { dial, networks } = await startAgent(t, server);
  await eventually("the script began", () => server.logs.includes("before"));
  const client = await dialSsh(await dial(22));
  server.failLogs = true;
  server.drop();
  const answer = runCommand(client, "sleep 0.2; echo still here");
  await eventually("dialled again", () => server.startups === 2);
  server.failLogs = false;
  assert.equal((await answer).stdout, "still here\n");
  await eventually("ready", () => server.states.includes(Lifecycle_State.READY));
  await eventually("the rest of the log", () => server.logs.includes("after"));
  assert.deepEqual(server.logs, ["before", "after"]);
  assert.deepEqual(server.states, [Lifecycle_State.STARTING, Lifecycle_State.READY]);
  assert.equal(networks(), 1);
  client.end();
});

test("a shutdown ends sessions, runs stop scripts and reports its end", async (t) => {
  const server = await fakeServer({
    scripts: [script("echo bye; sleep 0.1; exit 4", { runOnStart: false, runOnStop: true })],
  });
  const { agent, dial } = await startAgent(t, server);
  await eventually("ready", () => server.states.includes(Lifecycle_State.READY));
  const client = await dialSsh(await dial(1));
  const long = runCommand(client, "sleep 60");
  await eventually("the session is reported", () => server.connections.length === 1);
  await agent[Symbol.asyncDispose]();
  assert.equal((await long).code, 255);
  assert.deepEqual(server.states.slice(2), [Lifecycle_State.SHUTTING_DOWN, Lifecycle_State.SHUTDOWN_ERROR]);
  assert.deepEqual(server.logs, ["bye"]);
  assert.deepEqual(server.reports, [{ status: Timing_Status.EXIT_FAILURE, exitCode: 4 }]);
});

test("a script past its time limit is hung up: start_timeout", async (t) => {
  const timeout = { seconds: 0n, nanos: 200_000_000 };
  const server = await fakeServer({
    scripts: [script("echo begin; sleep 30", { timeout }), script("exit 1")],
  });
  await startAgent(t, server);
  await eventually("start_timeout", () => server.states.includes(Lifecycle_State.START_TIMEOUT));
  assert.deepEqual(
    server.reports.map(({ status }) => status).toSorted((a, b) => a - b),
    [Timing_Status.EXIT_FAILURE, Timing_Status.TIMED_OUT],
  );
});

test("scheduled scripts run at their times; a schedule that cannot be read costs its own script only", async (t) => {
  const server = await fakeServer({
    scripts: [
      script("echo tick > /dev/stdout", { runOnStart: false, cron: "* * * * * *" }),
      script("echo never", { runOnStart: false, cron: "every day" }),
    ],
  });
  await startAgent(t, server);
  await eventually("two runs", () => server.logs.filter((line) => line === "tick").length >= 2);
  assert.equal(server.logs.includes("never"), false);
  assert.ok(server.logs.some((line) => /schedule cannot be followed.*every day/u.test(line)));
  assert.deepEqual(server.states, [Lifecycle_State.STARTING, Lifecycle_State.READY]);
});

test("the agent's own services answer: ports, speed test", async (t) => {
  const server = await fakeServer({});
  const { dial } = await startAgent(t, server);
  await eventually("ready", () => server.states.includes(Lifecycle_State.READY));
  const api = await dial(4);
  api.end("GET /debug/manifest HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n");
  assert.match(await text(api), /200 OK[^]*"workspaceName":"ws"/u);
  const speed = await dial(3);
  speed.write('{"version":2,"time":1000000,"direction":0}\n');
  assert.match(await text(speed), /^\{\}\n/u);
});

test("an older server is asked in its own version", async (t) => {
  const server = await fakeServer({}, 7);
  await startAgent(t, server);
  await eventually("ready", () => server.states.includes(Lifecycle_State.READY));
  assert.deepEqual(server.versions, ["2.9", "2.7"]);
});

test("metadata is collected; a failing command says so", async (t) => {
  const description = (key: string, text: string) => ({
    displayName: key,
    key,
    script: text,
  });
  const server = await fakeServer({
    metadata: [description("good", "echo 42"), description("bad", "echo x; exit 3")],
  });
  await startAgent(t, server);
  await eventually("both keys", () => server.metadata.size === 2);
  assert.deepEqual(Object.fromEntries(server.metadata), { good: "42|", bad: "x|run cmd: exit status 3" });
});

test("a full log on the server stops the sender, not the agent", async (t) => {
  const server = await fakeServer({ scripts: [script("echo 1; sleep 0.1; echo 2")] });
  server.logLimit = true;
  await startAgent(t, server);
  await eventually("ready", () => server.states.includes(Lifecycle_State.READY));
  assert.deepEqual(server.logs, []);
});

test("secret files are private and secrets are in the environment", async (t) => {
  const secret = (envName: string, filePath: string, value: string) => ({
    envName,
    filePath,
    value: Buffer.from(value),
  });
  const server = await fakeServer({ secrets: [secret("TOKEN", "~/.config/token", "s3cret$HOME")] });
  const { dial, dir } = await startAgent(t, server);
  const client = await dialSsh(await dial(1));
  assert.equal((await runCommand(client, 'printf %s "$TOKEN"')).stdout, "s3cret$HOME");
  client.end();
  const path = join(dir, ".config/token");
  await eventually("the file", () => existsSync(path));
  assert.equal(readFileSync(path, "utf8"), "s3cret$HOME");
});
