/**
 * `npm run vectors -- agent FILE`: what the stock agent's encoders and sessions were recorded to give, against ours. Host
 * keys are not compared: ours are of another kind on purpose (any stable key is compatible).
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, createConnection } from "node:net";
import { once } from "node:events";
import { type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { buildCommand } from "#agent/command/command.ts";
import { hostKey } from "#agent/agentssh/hostkey.ts";
import { SshServer } from "#agent/agentssh/server.ts";
import { withAuthority } from "#agent/agentssh/xauthority.ts";
import { realClock } from "#quartz/clock.ts";
import * as agentpb from "#rpc/gen/agent_pb.js";
import * as socketpb from "#rpc/gen/agentsocket_pb.js";
import { discardLogger } from "#slog/slog.ts";
import { dialSsh, runCommand } from "#ssh/client.ts";
import type { VectorResult } from "../vectors.ts";
import { bytes, fields, items, text, type Fields } from "./net/checker.ts";
import { ptyCheckers } from "./net/pty.ts";

/** Throws (node:assert) where we differ; false: we have nothing to compare yet. */
type Check = () => void | false | Promise<void | false>;

export async function run(args: readonly string[]): Promise<VectorResult> {
  const failures: string[] = [];
  const result = { equal: 0, of: 0, notYet: 0, failures };
  for (const file of args.filter((arg) => !arg.startsWith("-"))) {
    for (const [name, check] of checks(fields(JSON.parse(readFileSync(file, "utf8"))))) {
      try {
        if ((await check()) === false) {
          result.notYet++;
          continue;
        }
        result.equal++;
      } catch (error) {
        result.failures.push(
          `${name}: ${error instanceof Error ? error.message.slice(0, 600) : String(error)}`,
        );
      }
      result.of++;
    }
  }
  return result;
}

const missing = (): false => false;

function* checks(file: Fields): Generator<readonly [string, Check]> {
  for (const message of [...items(file["messages"]), fields(file["manifest_served_by_stock_server"])]) {
    yield [text(message["name"]), () => messageOf(message)];
  }
  const pty = fields(file["reconnecting_pty"]);
  for (const init of items(pty["init"])) {
    yield ["pty init", () => ptyCheckers["pty.init"]?.({ ...init, kind: "pty.init", name: "" })];
  }
  yield ["xauthority", () => authority(fields(file["xauthority_entry"]))];
  yield ["environment", () => environment(fields(file["ssh_session_environment"]))];
  for (const session of items(fields(file["ssh_session_results"])["cases"])) {
    yield [`session ${JSON.stringify(session)}`, () => sessionResult(session)];
  }
  for (const kind of ["ssh_host_keys", "boundary_frames"]) {
    for (const _ of items(file[kind])) yield [kind, missing];
  }
  for (const kind of ["ssh_server_offer", "seeded_generator"]) yield [kind, missing];
  for (const [name] of Object.entries(fields(file["http_samples"])).filter(([key]) => key !== "about")) {
    yield [name, missing];
  }
}

const schemas = new Map<string, DescMessage>();
for (const one of [...Object.values<unknown>(agentpb), ...Object.values<unknown>(socketpb)]) {
  if (isMessage(one)) schemas.set(one.typeName, one);
}

function isMessage(value: unknown): value is DescMessage {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "message";
}

function messageOf(vector: Fields): void {
  const schema = schemas.get(text(vector["message"]));
  assert.ok(schema, `no message ${text(vector["message"])}`);
  const wire = new Uint8Array(Buffer.from(text(vector["base64"]), "base64"));
  const decoded = fromBinary(schema, wire);
  assert.deepEqual(toJson(schema, decoded, { useProtoFieldName: true }), vector["json"]);
  const again = toBinary(schema, fromJson(schema, json(vector["json"])));
  assert.deepEqual(toBinary(schema, decoded), again);
  // Go writes the fields of a oneof last, so the same message may have its bytes in another order.
  assert.equal(again.length, wire.length);
  assert.deepEqual(fromBinary(schema, again), decoded);
}

const json = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value));

function authority({ hex }: Fields): void {
  const file = bytes(hex);
  const entry = {
    host: "vm",
    display: 10,
    protocol: "MIT-MAGIC-COOKIE-1",
    cookie: file.subarray(file.length - 16),
  };
  assert.equal(withAuthority(Buffer.alloc(0), entry).toString("hex"), hex);
}

/** The recording's placeholders, as values. */
const places = {
  "<HOME>": "/home/u",
  "<agent token>": "t-1",
  "<agent url>": "http://server",
  "<workspace uuid>": "w-1",
  "<agent binary>": "/opt/coder/coder",
  "<dir of agent binary>": "/opt/coder",
  "<script data dir>": "/data",
  "<os user>": "u",
  "<login shell of the os user>": "/bin/sh",
  "<inherited>": "/tmp",
  "<inherited from the agent process>": "kept",
} as const;

function environment(vector: Fields): void {
  const fill = (value: string): string =>
    Object.entries(places).reduce((sum, [place, given]) => sum.replaceAll(place, given), value);
  const left = new Set([
    ...listOf(vector["set_by_the_shell_not_the_agent"]),
    ...listOf(vector["artefact_of_stock_agent"]),
  ]);
  const wanted = Object.fromEntries(
    Object.entries(fields(vector["env"]))
      .filter(([name]) => !left.has(name))
      .map(([name, value]) => [name, fill(text(value))]),
  );
  const kept = places["<inherited from the agent process>"];
  const { env } = buildCommand(
    { text: "env" },
    {
      agentName: "main",
      workspaceName: "ws",
      workspaceId: places["<workspace uuid>"],
      ownerName: "alice",
      environment: { FROM_TEMPLATE: "x$HOME", PATH: "/tmpl/bin:$PATH" },
      directory: "",
      vscodeProxyUri: "",
      secrets: {},
    },
    {
      env: {
        HOME: places["<HOME>"],
        PATH: `/usr/local/bin:/usr/bin:/bin:${places["<dir of agent binary>"]}`,
        LANG: "C.UTF-8",
        TMPDIR: places["<inherited>"],
        CODER_AGENT_AUTH: "token",
        CODER_AGENT_URL: places["<agent url>"],
        CODER_AGENT_LOG_DIR: kept,
        CODER_AGENT_SOCKET_PATH: kept,
      },
      user: { name: "u", home: places["<HOME>"], shell: "/bin/sh" },
      token: places["<agent token>"],
      binary: places["<agent binary>"],
      scriptBinDir: `${places["<script data dir>"]}/coder-script-data/bin`,
    },
  );
  assert.deepEqual(env, wanted);
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map((one) => String(one)) : []);

async function sessionResult(vector: Fields): Promise<void | false> {
  const { cmd, pty, rc, bytes: size } = vector;
  if (typeof cmd !== "string") return false;
  const command = cmd === "<unknown command>" ? "no-such-command-here" : cmd;
  await using server = SshServer.start({
    hostKey: hostKey({ owner: "o", workspace: "w", agent: "a" }),
    clock: realClock,
    log: discardLogger,
    command: ({ text: script, extra }) => ({
      file: "/bin/sh",
      args: ["-c", script],
      env: { PATH: process.env["PATH"] ?? "", ...extra },
      cwd: "/",
    }),
  });
  const listener = createServer((socket) => server.serve(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", () => resolve()));
  const address = listener.address();
  assert.ok(address && typeof address === "object");
  const socket = createConnection(address.port, "127.0.0.1");
  await once(socket, "connect");
  const client = await dialSsh(socket);
  try {
    const begin = realClock.monotonic();
    const terminal = pty === true ? { term: "xterm", cols: 80, rows: 24 } : undefined;
    const done = await runCommand(client, command, { terminal });
    const seconds = (realClock.monotonic() - begin) / 1000;
    if (rc !== undefined) assert.equal(done.code, rc);
    // Counted by a reader for whom the terminal's two characters of a new line are one.
    if (size !== undefined) assert.equal(done.stdout.replaceAll("\r", "").length, size);
    if (cmd === "sleep 3 & echo fg") assert.ok(seconds > 2.5, `${seconds} s`);
    if (cmd.startsWith("sleep 3 >")) assert.ok(seconds < 2.5, `${seconds} s`);
  } finally {
    client.end();
    listener.close();
  }
}
