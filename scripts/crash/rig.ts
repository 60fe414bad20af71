/**
 * A whole deployment of real processes in a folder of its own: the server with its built-in PostgreSQL and one daemon,
 * an external daemon, local agents, ssh clients. The harness acts as operator: it kills, and starts what died again.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { type Client, newClient } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { realClock as clock } from "#quartz/clock.ts";
import { clientConfig } from "#coderd/database/connection.ts";
import { root } from "../run.ts";
import { type Program, runProgram, startProgram } from "./program.ts";
import { killQuietly, workspaceProcesses } from "./processes.ts";
import { freePort, tail, until } from "./wait.ts";

const bootMs = 60_000;
const sqlMs = 20_000;
const template = "local";

export interface Rig extends AsyncDisposable {
  /** Of the administrator. */
  readonly client: Client;
  readonly organizationId: string;
  readonly templateId: string;
  readonly dir: string;
  readonly workspacesDir: string;
  server(): Program;
  daemon(): Program;
  startServer(): Promise<void>;
  startDaemon(): void;
  /** Resolves when the server answers and its database does. */
  awaitHealthy(): Promise<void>;
  /** Process number of the database's first process; undefined while it is down. */
  postmaster(): number | undefined;
  readonly sql: <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Starts the command line, signed in. */
  coder(args: readonly string[], onOutput: (text: string) => void): Program;
  log(name: string): Promise<string>;
}

export async function startRig(): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), "coder-crash-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const workspacesDir = join(dir, "workspaces");
  const stateDir = join(dir, "server");
  await Promise.all([mkdir(stateDir), mkdir(join(dir, "logs")), mkdir(join(dir, "user"))]);
  const env = environment(dir, url, workspacesDir);
  const logFile = (name: string): string => join(dir, "logs", `${name}.log`);
  let dataDir = "";
  let server: Program | undefined;
  let daemon: Program | undefined;
  let daemonKey = "";

  const healthy = async (): Promise<boolean> => {
    const signal = AbortSignal.timeout(2_000);
    const answer = await fetch(`${url}/healthz`, { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    return (
      answer?.status === 200 &&
      (await queryOnce(dataDir, "SELECT 1", []).then(
        () => true,
        () => false,
      ))
    );
  };

  const rig: Rig = {
    client: newClient({ url }),
    organizationId: "",
    templateId: "",
    dir,
    workspacesDir,
    server: () => must(server, "server"),
    daemon: () => must(daemon, "daemon"),
    async startServer() {
      const args = ["server", "--http-address", new URL(url).host, "--provisioner-daemons", "1"];
      server = startProgram({
        args,
        env: { ...env, CODER_CONFIG_DIR: stateDir },
        logFile: logFile("server"),
        onOutput: (text) => {
          dataDir = /built-in PostgreSQL \(([^,)]+)/.exec(text)?.[1] ?? dataDir;
        },
      });
      await rig.awaitHealthy();
    },
    startDaemon() {
      daemon = startProgram({
        args: ["provisioner", "start", "--name", "external", "--cache-dir", join(dir, "daemon-cache")],
        env: { ...env, CODER_CONFIG_DIR: join(dir, "daemon"), CODER_PROVISIONER_DAEMON_KEY: daemonKey },
        logFile: logFile("daemon"),
      });
    },
    async awaitHealthy() {
      await until("the server answers /healthz", bootMs, async () => {
        if (server && !server.alive()) {
          throw new Error(`the server ended with ${await server.ended}:\n${await tail(logFile("server"))}`);
        }
        return healthy();
      });
    },
    postmaster: () => {
      const file = join(dataDir, "postmaster.pid");
      return existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) || undefined : undefined;
    },
    sql: (text, values = []) => query(dataDir, text, values),
    coder: (args, onOutput) =>
      startProgram({
        args,
        env: { ...env, CODER_CONFIG_DIR: join(dir, "user") },
        logFile: logFile("clients"),
        onOutput,
      }),
    log: (name) => tail(logFile(name)),
    async [Symbol.asyncDispose]() {
      await daemon?.kill("SIGKILL");
      await server?.kill("SIGTERM");
      const mine = new Set(await readdir(workspacesDir).catch(() => []));
      for (const { pid, workspaceId } of await workspaceProcesses()) {
        if (mine.has(workspaceId)) killQuietly(pid);
      }
      if (dataDir.startsWith("/var/lib/coder/")) await rm(dirname(dataDir), { recursive: true, force: true });
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await rig.startServer();
    return await furnish(rig);
  } catch (error) {
    await rig[Symbol.asyncDispose]();
    throw error;
  }

  /** The first user, his session, the template, the external daemon. */
  async function furnish(bare: Rig): Promise<Rig> {
    const credentials = { email: "admin@crash.invalid", password: "Crash-and-burn-1!" };
    const { organization_id: organizationId } = await bare.client.call(contract.users.createFirstUser, {
      body: { ...credentials, username: "admin" },
    });
    const { session_token: token } = await bare.client.call(contract.users.login, { body: credentials });
    const client = newClient({ url, token });
    const user = { ...env, CODER_CONFIG_DIR: join(dir, "user"), CODER_SESSION_TOKEN: token };
    await runProgram({
      args: ["templates", "push", template, "--directory", join(root, "examples", template), "--yes"],
      env: user,
      logFile: logFile("clients"),
    });
    const made = await client.call(contract.templates.getByName, {
      params: { organization: organizationId, templatename: template },
    });
    const key = await client.call(contract.provisionerkeys.create, {
      params: { organization: organizationId },
      body: { name: "crash", tags: {} },
    });
    daemonKey = key.key;
    env["CODER_SESSION_TOKEN"] = token;
    bare.startDaemon();
    return Object.assign(bare, { client, organizationId, templateId: made.id });
  }
}

function environment(dir: string, url: string, workspacesDir: string): NodeJS.ProcessEnv {
  const agent = [process.execPath, join(root, "src/cmd/coder.ts"), "agent"];
  return {
    PATH: process.env["PATH"],
    HOME: dir,
    LANG: "C.UTF-8",
    NODE_COMPILE_CACHE: join(tmpdir(), "coder-crash-compile-cache"),
    CODER_URL: url,
    CODER_CACHE_DIRECTORY: join(dir, "cache"),
    CODER_LOCAL_AGENT: agent.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" "),
    CODER_LOCAL_WORKSPACES: workspacesDir,
    CODER_LOCAL_GRACE: "2",
    CODER_PROVISIONER_ENGINE: "native",
    CODER_DISABLE_RATE_LIMITS: "true",
    NO_COLOR: "1",
  };
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the ${what} was never started`);
  return value;
}

/** A killed database takes a moment to notice and another to recover; what was sent to it is only ever read. */
async function query<Row>(dataDir: string, text: string, values: readonly unknown[]): Promise<Row[]> {
  const end = clock.monotonic() + sqlMs;
  for (;;) {
    try {
      return await queryOnce(dataDir, text, values);
    } catch (error) {
      if (isSqlFault(error) || clock.monotonic() > end) throw error;
      await clock.sleep(100);
    }
  }
}

/** The statement itself is wrong. */
const isSqlFault = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /^(?:42|22)/.test(String(error.code));

async function queryOnce<Row>(dataDir: string, text: string, values: readonly unknown[]): Promise<Row[]> {
  const [, , , port, host = ""] = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n");
  const db = new pg.Client({
    ...clientConfig({ host, port: Number(port), user: "coder", database: "postgres" }),
    connectionTimeoutMillis: 2_000,
  });
  db.on("error", () => {});
  try {
    await db.connect();
    return (await db.query(text, [...values])).rows;
  } finally {
    await db.end().catch(() => {});
  }
}
