/** Checkers of disco, TSMP, ICMPv6 and tailnet addresses. */
import assert from "node:assert/strict";
import { boxKey } from "#net/keys/box.ts";
import { privateKeyFrom, publicKeyFrom } from "#net/keys/x25519.ts";
import * as disco from "#net/disco/message.ts";
import { formatAddress, formatAddressPort, parseAddress } from "#net/netstack/address.ts";
import { answerEcho, encodeEcho, parseEcho } from "#net/netstack/icmp6.ts";
import { answerTsmp, encodeTsmp, parseTsmp } from "#net/netstack/tsmp.ts";
import { agentNodeId, agentPrefixes, serviceAddress, vpnAddress } from "#tailnet/addresses.ts";
import { bytes, fields, text, type Checker, type Vector } from "./checker.ts";

export const packetCheckers: Readonly<Record<string, Checker>> = {
  "disco.message": discoMessage,
  "disco.parse": (vector) => {
    if (vector["error"] !== undefined) {
      assert.throws(() => disco.decodeDisco(bytes(vector["plaintext"])));
      return;
    }
    assert.deepEqual(recorded(disco.decodeDisco(bytes(vector["plaintext"]))), vector["message"]);
  },
  "tsmp.packet": (vector) => {
    const packet = bytes(vector["hex"]);
    const message = parseTsmp(packet);
    assert.ok(message);
    assert.deepEqual(
      {
        type: message.type,
        src: formatAddress(message.source),
        dst: formatAddress(message.destination),
        data: Buffer.from(message.data).toString("hex"),
      },
      { type: vector["type"], src: vector["src"], dst: vector["dst"], data: vector["data"] },
    );
    assert.deepEqual(encodeTsmp(message), packet);
    if (message.type === "ping") {
      const pong = parseTsmp(answerTsmp(message));
      assert.deepEqual(pong?.data, message.data);
      assert.equal(pong?.type, "pong");
    }
  },
  "icmp6.echo": (vector) => {
    const request = parseEcho(bytes(vector["request"]));
    assert.ok(request);
    assert.deepEqual(
      {
        reply: request.reply,
        src: formatAddress(request.source),
        dst: formatAddress(request.destination),
        identifier: request.identifier,
        sequence: request.sequence,
        data: Buffer.from(request.data).toString("hex"),
      },
      {
        reply: false,
        src: vector["src"],
        dst: vector["dst"],
        identifier: vector["identifier"],
        sequence: vector["sequence"],
        data: vector["data"],
      },
    );
    assert.equal(encodeEcho(request).toString("hex"), vector["request"]);
    assert.equal(answerEcho(request).toString("hex"), vector["reply"]);
    assert.ok(parseEcho(bytes(vector["reply"]))?.reply);
  },
  "tailnet.address": (vector) => {
    const uuid = text(vector["uuid"]);
    assert.deepEqual(
      {
        node_id: agentNodeId(uuid).toString(),
        tailscale_service_address: serviceAddress(uuid),
        coder_service_address: vpnAddress(uuid),
        announced_prefixes: agentPrefixes(uuid),
      },
      {
        node_id: vector["node_id"],
        tailscale_service_address: vector["tailscale_service_address"],
        coder_service_address: vector["coder_service_address"],
        announced_prefixes: vector["announced_prefixes"],
      },
    );
  },
};

/** A message in the recording's notation. */
function recorded(message: disco.DiscoMessage): unknown {
  const point = ({ address, port }: disco.Endpoint): string => formatAddressPort(address, port);
  switch (message.type) {
    case "ping":
      return {
        type: "ping",
        txid: message.txId.toString("hex"),
        node_key: message.nodeKey?.some((byte) => byte !== 0) ? message.nodeKey.toString("hex") : null,
      };
    case "pong":
      return { type: "pong", txid: message.txId.toString("hex"), src: point(message.source) };
    case "call_me_maybe":
      return { type: "call_me_maybe", endpoints: message.endpoints.map(point) };
    default:
      throw new Error("unknown message");
  }
}

function fromRecorded(message: unknown): disco.DiscoMessage {
  const item = fields(message);
  const txId = (): Buffer => bytes(item["txid"]);
  switch (item["type"]) {
    case "ping":
      return {
        type: "ping",
        txId: txId(),
        nodeKey: item["node_key"] === null ? undefined : bytes(item["node_key"]),
      };
    case "pong":
      return { type: "pong", txId: txId(), source: endpoint(text(item["src"])) };
    default: {
      const list = Array.isArray(item["endpoints"]) ? item["endpoints"] : [];
      return { type: "call_me_maybe", endpoints: list.map((value) => endpoint(text(value))) };
    }
  }
}

function endpoint(value: string): disco.Endpoint {
  const at = value.lastIndexOf(":");
  const address = parseAddress(value.slice(0, at).replace(/^\[|\]$/g, ""));
  assert.ok(address);
  const mapped =
    address.length === 4 ? Buffer.concat([Buffer.from("00000000000000000000ffff", "hex"), address]) : address;
  return { address: mapped, port: Number(value.slice(at + 1)) };
}

function discoMessage(vector: Vector): void {
  const sender = privateKeyFrom(bytes(vector["sender_private"]));
  const receiver = privateKeyFrom(bytes(vector["receiver_private"]));
  const key = boxKey(receiver, publicKeyFrom(sender.public));
  const packet = bytes(vector["packet"]);
  assert.ok(disco.looksLikeDisco(packet));
  assert.equal(packet.length, vector["packet_len"]);
  assert.equal(disco.discoSender(packet).toString("hex"), vector["sender_public"]);
  const plaintext = disco.openDisco(packet, key);
  assert.ok(plaintext);
  assert.equal(plaintext.length, vector["plaintext_len"]);
  assert.equal(plaintext.subarray(0, 64).toString("hex"), text(vector["plaintext_head"]).slice(0, 128));
  assert.deepEqual(recorded(disco.decodeDisco(plaintext)), vector["message"]);
  const again = disco.sealDisco(fromRecorded(vector["message"]), {
    publicKey: sender.public,
    boxKey: boxKey(sender, publicKeyFrom(receiver.public)),
    nonce: bytes(vector["nonce"]),
  });
  assert.equal(again.toString("hex"), vector["packet"]);
}
