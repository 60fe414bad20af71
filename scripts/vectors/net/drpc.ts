/** Checkers of the DRPC kinds. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { duplexPair } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DrpcError } from "#rpc/drpc/call.ts";
import { decodeMetadata, encodeMetadata } from "#rpc/drpc/metadata.ts";
import { PacketReader } from "#rpc/drpc/reader.ts";
import { drpcRouter, serveDrpc } from "#rpc/drpc/server.ts";
import {
  decodeError,
  DrpcProtocolError,
  encodeError,
  encodePacket,
  packetKind,
  type Packet,
} from "#rpc/drpc/wire.ts";
import { Tailnet } from "#rpc/gen/tailnet_pb.js";
import { decode } from "#rpc/drpc/messages.ts";
import { bytes, fields, items, text, type Checker, type Fields, type Vector } from "./checker.ts";

export const drpcCheckers: Readonly<Record<string, Checker>> = {
  "drpc.packet": packet,
  "drpc.reader": reader,
  "drpc.oversize": oversize,
  "drpc.error": error,
  "drpc.metadata": metadata,
  "drpc.call": call,
};

function packet(vector: Vector): void {
  const rule = Buffer.from(Array.from({ length: Number(vector["data_len"] ?? 0) }, (_, i) => (7 * i) % 256));
  const expected: Packet = {
    kind: Number(vector["packet_kind"]),
    control: vector["control"] === true,
    stream: BigInt(text(vector["stream"])),
    message: BigInt(text(vector["message"])),
    data: vector["data"] === undefined ? rule : bytes(vector["data"]),
  };
  const split = Number(vector["split"]);
  const encoded = split === 0 ? encodePacket(expected) : encodePacket(expected, split);
  if (vector["hex"] !== undefined) assert.equal(encoded.toString("hex"), vector["hex"]);
  else assert.equal(createHash("sha256").update(encoded).digest("hex"), vector["sha256"]);
  assert.deepEqual([...new PacketReader().push(encoded)], [expected]);
  let at = 0;
  for (const frame of items(vector["frames"])) {
    const header = text(frame["header"]);
    assert.equal(encoded.subarray(at, at + header.length / 2).toString("hex"), header);
    at += header.length / 2 + Number(frame["data_len"]);
  }
  assert.equal(at, encoded.length);
}

function reader(vector: Vector): void {
  const got: Packet[] = [];
  let failure: unknown;
  try {
    for (const one of new PacketReader().push(bytes(vector["input"]))) got.push(one);
  } catch (caught) {
    failure = caught;
  }
  const expected = items(vector["packets"]).map((one) => ({
    kind: one["packet_kind"],
    control: one["control"],
    stream: BigInt(Number(one["stream"])),
    message: BigInt(Number(one["message"])),
    data: bytes(one["data"]),
  }));
  assert.deepEqual(got, expected);
  assert.equal(failure instanceof DrpcProtocolError, vector["error"] !== "EOF");
}

function oversize(vector: Vector): void {
  const one = new PacketReader(Number(vector["limit"]));
  const feed = () => [
    ...one.push(bytes(vector["frame_header"])),
    ...one.push(Buffer.alloc(Number(vector["data_len"]))),
  ];
  if (vector["rejected"] === true) assert.throws(feed, DrpcProtocolError);
  else assert.equal(feed().length, 1);
}

function error(vector: Vector): void {
  const expected = { code: BigInt(text(vector["code"])), text: text(vector["text"]) };
  assert.equal(encodeError(expected.code, expected.text).toString("hex"), vector["hex"]);
  assert.deepEqual(decodeError(bytes(vector["hex"])), expected);
}

function metadata(vector: Vector): void {
  const expected = fields(vector["metadata"]);
  const encoded = encodeMetadata(
    Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, text(value)])),
  );
  assert.deepEqual(decodeMetadata(encoded), expected);
  assert.deepEqual(decodeMetadata(bytes(vector["hex"])), expected);
}

const kindNames: Readonly<Record<string, number>> = {
  invoke: packetKind.invoke,
  message: packetKind.message,
  error: packetKind.error,
  cancel: packetKind.cancel,
  close: packetKind.close,
  close_send: packetKind.closeSend,
  invoke_metadata: packetKind.invokeMetadata,
};

function checkSide(side: Fields): void {
  const decoded = [...new PacketReader().push(bytes(side["hex"]))];
  const expected = items(side["frames"]).map((frame) => ({
    kind: kindNames[text(frame["kind"])],
    control: frame["control"],
    stream: BigInt(Number(frame["stream"])),
    message: BigInt(Number(frame["message"])),
    data: bytes(frame["data"]),
  }));
  assert.deepEqual(decoded, expected);
  assert.equal(Buffer.concat(decoded.map((one) => encodePacket(one))).toString("hex"), side["hex"]);
}

/** Both halves decode and encode again; then our server half hears the client's bytes and must say the server's. */
async function call(vector: Vector): Promise<void> {
  const client = fields(vector["client"]);
  const server = fields(vector["server"]);
  checkSide(client);
  checkSide(server);
  const replies = items(server["frames"])
    .filter((frame) => frame["kind"] === "message")
    .map((frame) => bytes(frame["data"]));
  assert.equal(await play(client, replies, text(vector["name"])), server["hex"]);
}

/** A client's Close comes after the server's last packet: it is sent when the server has fallen silent. */
async function play(client: Fields, replies: readonly Buffer[], name: string): Promise<string> {
  const router = drpcRouter(Tailnet, {
    refreshResumeToken: () => ({ token: "t" }),
    postTelemetry: () => {
      throw new DrpcError("no events", 42);
    },
    streamDERPMaps: async (_request, stream) => {
      for (const data of replies) await stream.send(decode(Tailnet.method.streamDERPMaps.output, data));
    },
    coordinate: async (stream) => {
      await stream.receive();
      for (const data of replies) await stream.send(decode(Tailnet.method.coordinate.output, data));
      if (name.includes("client closes")) while ((await stream.receive()) !== undefined) continue;
    },
  });
  const [near, far] = duplexPair();
  const parts: Buffer[] = [];
  near.on("data", (part: Buffer) => parts.push(part));
  const served = serveDrpc(far, router);
  const frames = items(client["frames"]).map((frame) => ({
    close: frame["kind"] === "close",
    data: bytes(frame["hex"]),
  }));
  for (const { data } of frames.filter(({ close }) => !close)) near.write(data);
  for (let i = 0; i < 10; i++) await nextTurn();
  for (const { data } of frames.filter(({ close }) => close)) near.write(data);
  await served;
  for (let i = 0; i < 10; i++) await nextTurn();
  near.destroy();
  return Buffer.concat(parts).toString("hex");
}
