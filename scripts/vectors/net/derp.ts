/** Checkers of DERP. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { WebSocket } from "ws";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { encodeFrame, FrameReader, frameType, magic, maxFrame, headerLength } from "#net/derp/frame.ts";
import { derpHttp } from "#net/derp/http.ts";
import * as messages from "#net/derp/messages.ts";
import { namesOf } from "#net/derp/names.ts";
import { DerpServer } from "#net/derp/server.ts";
import { boxKey, openBox, sealBox } from "#net/keys/box.ts";
import { type PrivateKey, privateKeyFrom, publicKeyFrom } from "#net/keys/x25519.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { bytes, fields, type Fields, items, text, type Checker, type Vector } from "./checker.ts";

export const derpCheckers: Readonly<Record<string, Checker>> = {
  "derp.session": session,
  "derp.client_recv": clientRecv,
  "derp.server_recv": serverRecv,
  "derp.http": http,
  "derp.websocket": webSocket,
  "derp.names": (vector) => {
    const latency = vector["derp_latency"] === null ? {} : fields(vector["derp_latency"]);
    const result = namesOf({
      regionNames: strings(vector["region_names"]),
      latency: Object.fromEntries(Object.entries(latency).map(([key, value]) => [key, Number(value)])),
      preferred: Number(vector["preferred_derp"]),
      pingRegion: Number(vector["ping_region"]),
    });
    assert.deepEqual(result.latencyNsByName, vector["latency_ns_by_name"]);
    assert.equal(result.preferredName, vector["preferred_name"]);
  },
};

function strings(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(fields(value)).map(([key, item]) => [key, text(item)]));
}

function newServer(vector: Vector): DerpServer {
  return new DerpServer({
    key: privateKeyFrom(bytes(vector["server_private"])),
    clock: realClock,
    rand: cryptoRand,
    log: discardLogger,
    ...(vector["mesh_key"] === undefined ? {} : { meshKey: text(vector["mesh_key"]) }),
  });
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A connection to a server in this process, and what came from it. */
class Wire {
  readonly near: Duplex;
  readonly #parts: Buffer[] = [];
  closed = false;

  constructor(server: DerpServer) {
    const [near, far] = duplexPair();
    this.near = near;
    near.on("data", (part: Buffer) => this.#parts.push(part));
    near.on("end", () => (this.closed = true));
    near.on("close", () => (this.closed = true));
    near.on("error", () => {});
    void server.accept(far);
  }

  frames(): { type: number; payload: Buffer }[] {
    return [...new FrameReader().push(Buffer.concat(this.#parts))];
  }
}

function clientRecv(vector: Vector): void {
  const key = (): Buffer =>
    boxKey(
      privateKeyFrom(bytes(vector["client_private"])),
      publicKeyFrom(privateKeyFrom(bytes(vector["server_private"])).public),
    );
  const run = (): messages.ClientEvent[] =>
    [...new FrameReader().push(bytes(vector["input"]))]
      .map(({ type, payload }) => messages.decodeClientEvent(type, payload, key))
      .filter((event) => event !== undefined);
  if (vector["error"] !== undefined) {
    assert.throws(run);
    return;
  }
  const [event] = run();
  if (vector["message"] === "skipped") {
    assert.equal(event, undefined);
    return;
  }
  assert.ok(event);
  assert.deepEqual(
    describe(event),
    without(vector, ["kind", "name", "input", "client_private", "server_private"]),
  );
}

function describe(event: messages.ClientEvent): Record<string, unknown> {
  switch (event.type) {
    case "recv_packet":
      return { message: event.type, key: event.key.toString("hex"), packet: event.packet.toString("hex") };
    case "keep_alive":
      return { message: event.type };
    case "peer_gone":
      return { message: event.type, key: event.key.toString("hex"), reason: event.reason };
    case "peer_present":
      return { message: event.type, key: event.key.toString("hex") };
    case "ping":
    case "pong":
      return { message: event.type, data: event.data.toString("hex") };
    case "health":
      return { message: event.type, problem: event.problem };
    case "restarting":
      return { message: event.type, reconnect_in_ms: event.reconnectInMs, try_for_ms: event.tryForMs };
    case "server_info":
      return { message: event.type, rate: event.bytesPerSecond, burst: event.bytesBurst };
    default:
      throw new Error("unknown event");
  }
}

function without(vector: Fields, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(vector).filter(([name]) => !names.includes(name)));
}

async function serverRecv(vector: Vector): Promise<void> {
  await using server = newServer(vector);
  const wire = new Wire(server);
  wire.near.write(bytes(vector["input"]));
  await settle();
  const frames = wire.frames();
  assert.deepEqual(
    frames.map(({ type }) => type),
    vector["reply_types"],
  );
  const last = frames.at(-1);
  const reply = frames.length > 2 && last ? encodeFrame(last.type, last.payload).toString("hex") : "";
  assert.equal(reply, vector["last_reply"]);
  assert.equal(wire.closed, vector["connection_closed"]);
}

async function listen(vector: Vector): Promise<{ port: number; close: () => void }> {
  const derp = derpHttp(newServer(vector));
  const server = createServer();
  server.on("upgrade", (request, socket, head) => derp.upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address && typeof address === "object");
  return {
    port: address.port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function http(vector: Vector): Promise<void> {
  const server = await listen(vector);
  const expected = Buffer.concat([Buffer.from(text(vector["response_head"])), bytes(vector["then"])]);
  const socket = connect(server.port, "127.0.0.1");
  try {
    socket.write(`GET /derp HTTP/1.1\r\nHost: test\r\n${text(vector["request_headers"])}\r\n`);
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of socket) {
      parts.push(Buffer.from(part));
      size += Buffer.from(part).length;
      if (size >= expected.length) break;
    }
    assert.equal(Buffer.concat(parts).toString("latin1"), expected.toString("latin1"));
  } finally {
    socket.destroy();
    server.close();
  }
}

async function webSocket(vector: Vector): Promise<void> {
  const server = await listen(vector);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/derp`, [text(vector["subprotocol"])]);
  try {
    const [data, isBinary] = await new Promise<[unknown, boolean]>((resolve, reject) => {
      socket.once("message", (message: unknown, binary: boolean) => resolve([message, binary]));
      socket.once("error", reject);
    });
    assert.ok(Buffer.isBuffer(data));
    assert.equal(data.toString("hex"), vector["first_message"]);
    assert.equal(isBinary, vector["message_type"] === "MessageBinary");
    assert.equal(socket.protocol, vector["subprotocol"]);
    assert.equal(socket.extensions, vector["extensions"]);
  } finally {
    socket.terminate();
    server.close();
  }
}

/** Decodes each recorded frame, writes it again, then plays the script against our server. */
async function session(vector: Vector): Promise<void> {
  const serverKey = privateKeyFrom(bytes(vector["server_private"]));
  for (const name of ["a", "b", "w"]) {
    const client = fields(vector[name]);
    const key = privateKeyFrom(bytes(client["client_private"]));
    assert.equal(key.public.toString("hex"), client["client_public"]);
    const shared = boxKey(key, publicKeyFrom(serverKey.public));
    for (const item of items(client["client_to_server"])) checkFrame(item, shared);
    for (const item of items(client["server_to_client"])) checkFrame(item, shared);
  }
  await play(vector);
}

function checkFrame(item: Fields, shared: Buffer): void {
  const [frame] = new FrameReader().push(bytes(item["hex"]));
  assert.ok(frame);
  assert.equal(frame.type, item["type"]);
  assert.equal(encodeFrame(frame.type, ...partsOf(item, shared, frame.payload)).toString("hex"), item["hex"]);
}

function partsOf(item: Fields, shared: Buffer, payload: Buffer): Buffer[] {
  const hex = (name: string): Buffer => bytes(item[name]);
  switch (text(item["frame"])) {
    case "client_info": {
      const { publicKey, nonce, box } = messages.splitClientInfo(payload);
      assert.equal(publicKey.toString("hex"), item["client_key"]);
      assert.equal(nonce.toString("hex"), item["nonce"]);
      const json = messages.clientInfoJson(messages.openClientInfo(shared, nonce, box));
      assert.equal(json, item["json"]);
      return [publicKey, nonce, sealBox(shared, nonce, Buffer.from(json))];
    }
    case "server_info": {
      const nonce = hex("nonce");
      const json = messages.serverInfoJson(messages.decodeServerInfo(shared, payload));
      assert.equal(json, item["json"]);
      assert.equal(openBox(shared, nonce, payload.subarray(24))?.toString(), json);
      return [nonce, sealBox(shared, nonce, Buffer.from(json))];
    }
    case "server_key":
      assert.equal(messages.decodeServerKey(payload).toString("hex"), item["server_key"]);
      return [magic, hex("server_key")];
    case "send_packet":
    case "recv_packet":
      return [hex("key"), hex("packet")];
    case "forward_packet":
      return [hex("src"), hex("dst"), hex("packet")];
    case "ping":
    case "pong":
      return [hex("data")];
    case "note_preferred":
      return [Buffer.of(item["preferred"] === true ? 1 : 0)];
    case "peer_gone":
      return [hex("key"), Buffer.of(Number(item["reason"]))];
    case "peer_present":
    case "close_peer":
      return [hex("key")];
    case "watch_conns":
      return [];
    default:
      throw new Error(`no frame is named ${text(item["frame"])}`);
  }
}

async function play(vector: Vector): Promise<void> {
  await using server = newServer(vector);
  const wires = new Map<string, { wire: Wire; key: PrivateKey; sent: Fields[] }>();
  for (const name of ["a", "b", "w"]) {
    const client = fields(vector[name]);
    const wire = new Wire(server);
    const sent = [...items(client["client_to_server"])];
    wire.near.write(bytes(sent.shift()?.["hex"]));
    await settle();
    wires.set(name, { wire, key: privateKeyFrom(bytes(client["client_private"])), sent });
  }
  for (const step of items(vector["script"])) {
    const from = wires.get(text(step["from"]));
    assert.ok(from);
    if (step["op"] === "disconnect") from.wire.near.end();
    else from.wire.near.write(bytes(from.sent.shift()?.["hex"]));
    await settle();
  }
  for (const [name, { wire }] of wires) {
    const expected = items(fields(vector[name])["server_to_client"]).map((item) => item["type"]);
    assert.deepEqual(
      wire.frames().map(({ type }) => type),
      expected,
      `frames to ${name}`,
    );
  }
  assert.ok(frameType.ping < maxFrame && headerLength === 5);
}
