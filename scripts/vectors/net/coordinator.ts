/** Checkers of node messages and the coordinator. */
import assert from "node:assert/strict";
import { create, fromBinary, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { MockClock } from "#quartz/mock.ts";
import {
  CoordinateRequestSchema,
  CoordinateResponse_PeerUpdate_Kind as Kind,
  NodeSchema,
} from "#rpc/gen/tailnet_pb.js";
import { uuidBytes, uuidText } from "#tailnet/addresses.ts";
import { chunks, type CoordinatorStream, Peer, peerUpdate } from "#tailnet/coordinator-peer.ts";
import { MemoryCoordinator } from "#tailnet/coordinator.ts";
import { decodeNode } from "#tailnet/node.ts";
import { type PeerAuth, requestError } from "#tailnet/tunnel-auth.ts";
import { fields, type Fields, items, text, type Checker, type Vector } from "./checker.ts";

export const coordinatorCheckers: Readonly<Record<string, Checker>> = {
  "node.decode": (vector) => {
    const decode = (): unknown => decodeNode(fromBinary(NodeSchema, base64(vector["base64"])));
    if (vector["ok"] === true) decode();
    else assert.throws(decode);
  },
  "coordinator.chunks": (vector) => {
    const updates = Array.from({ length: Number(vector["updates"]) }, () =>
      peerUpdate("93e52ca9-fb4b-4140-83ea-6ce6cd91ed0b", Kind.LOST, ""),
    );
    assert.deepEqual(
      chunks(updates, 1024).map((part) => part.length),
      vector["messages"],
    );
    const peer = new Peer("a", { kind: "server" }, "", new Date(0));
    assert.ok(peer.enqueue(updates));
  },
  "coordinator.authorize": async (vector) => {
    const request = fromBinary(CoordinateRequestSchema, base64(vector["request"]));
    assert.deepEqual(request, fromJson(CoordinateRequestSchema, json(vector["request_json"])));
    const error = await requestError(authOf(text(vector["peer_kind"]), text(vector["agent_id"])), request);
    assert.equal(error === undefined, vector["ok"], error);
    if (vector["error"] === undefined) return;
    const expected = text(vector["error"]);
    const loose = /^(Addresses: |AllowedIps: )?parse (node address|add tunnel id):/.exec(expected)?.[0];
    if (loose === undefined) assert.equal(error, expected);
    else assert.ok(error?.startsWith(loose), `${error} should begin with ${loose}`);
  },
  "coordinator.scenario": scenario,
};

function base64(value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(text(value), "base64"));
}

function json(value: unknown): JsonObject {
  const parsed: JsonObject = JSON.parse(JSON.stringify(value));
  return parsed;
}

function authOf(kind: string, agentId: string): PeerAuth {
  switch (kind) {
    case "agent":
      return { kind, id: agentId };
    case "client":
      return { kind, agentId };
    case "user":
      return { kind, maySsh: (id) => Promise.resolve(id === agentId) };
    default:
      return { kind: "server" };
  }
}

interface Stream {
  readonly stream: CoordinatorStream;
  readonly events: unknown[];
}

async function scenario(vector: Vector): Promise<void> {
  const ids = fields(vector["ids"]);
  const nodes = fields(vector["nodes"]);
  const nameOf = new Map(Object.entries(ids).map(([name, id]) => [text(id), name]));
  const nodeName = new Map(
    Object.entries(nodes).map(([name, value]) => [
      Buffer.from(toBinary(NodeSchema, fromBinary(NodeSchema, base64(value)))).toString("hex"),
      name,
    ]),
  );
  const coordinator = new MemoryCoordinator({ clock: new MockClock() });
  const streams = new Map<string, Stream>();
  const idOf = (name: unknown): Buffer => uuidBytes(text(ids[text(name)]));

  const listen = async (target: Stream): Promise<void> => {
    for await (const response of target.stream.responses()) {
      const updates = response.peerUpdates.map((update) => ({
        kind: Kind[update.kind],
        peer: nameOf.get(uuidText(update.id) ?? ""),
        ...(update.reason === "" ? {} : { reason: update.reason }),
        ...(update.node
          ? { node: nodeName.get(Buffer.from(toBinary(NodeSchema, update.node)).toString("hex")) }
          : {}),
      }));
      target.events.push(...updates.toSorted((a, b) => (a.peer ?? "").localeCompare(b.peer ?? "")));
      if (response.error !== "") {
        target.events.push({
          error: response.error.replace(/"([0-9a-f-]{36})"/, (_, id) => `"{${nameOf.get(id)}}"`),
        });
      }
    }
    target.events.push({ stream: "closed" });
  };

  const request = (value: Fields): Promise<void> | undefined =>
    streams
      .get(text(value["peer"]))
      ?.stream.request(create(CoordinateRequestSchema, requestInit(fields(value["request"]), nodes, idOf)));

  for (const [index, step] of items(vector["steps"]).entries()) {
    const peer = typeof step["peer"] === "string" ? step["peer"] : "";
    switch (step["op"]) {
      case "connect": {
        const auth = authOf(text(step["auth"]), text(ids[text(step["auth_arg"])] ?? ""));
        const older = streams.get(peer);
        if (older && typeof step["old_stream_is_called"] === "string") {
          streams.set(step["old_stream_is_called"], older);
        }
        const target: Stream = { stream: coordinator.connect({ id: text(ids[peer]), auth }), events: [] };
        streams.set(peer, target);
        void listen(target);
        break;
      }
      case "send":
        await request(step);
        break;
      case "lose stream":
        streams.get(peer)?.stream.lose();
        break;
      case "close coordinator":
        coordinator.close();
        break;
      default:
        throw new Error(`no operation is named ${text(step["op"])}`);
    }
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    const then: Record<string, unknown> = {};
    for (const [name, target] of streams) {
      const events = target.events.splice(0);
      if (events.length > 0) then[name] = events;
    }
    assert.deepEqual(then, step["then"], `step ${index + 1} (${text(step["op"])} ${peer})`);
  }
  coordinator.close();
}

function requestInit(
  request: Fields,
  nodes: Fields,
  idOf: (name: unknown) => Buffer,
): Parameters<typeof create<typeof CoordinateRequestSchema>>[1] {
  const ready = Array.isArray(request["ready_for_handshake"]) ? request["ready_for_handshake"] : [];
  return {
    ...(request["update_self"] === undefined
      ? {}
      : { updateSelf: { node: fromBinary(NodeSchema, base64(nodes[text(request["update_self"])])) } }),
    ...(request["add_tunnel"] === undefined ? {} : { addTunnel: { id: idOf(request["add_tunnel"]) } }),
    ...(request["remove_tunnel"] === undefined
      ? {}
      : { removeTunnel: { id: idOf(request["remove_tunnel"]) } }),
    ...(request["disconnect"] === undefined ? {} : { disconnect: {} }),
    readyForHandshake: ready.map((name) => ({ id: idOf(name) })),
  };
}
