/** Checkers of WireGuard. */
import assert from "node:assert/strict";
import { privateKeyFrom, publicKeyFrom, sharedSecret } from "#net/keys/x25519.ts";
import * as cookies from "#net/wireguard/cookies.ts";
import * as noise from "#net/wireguard/noise.ts";
import { openTransport, sealTransport, transportCounter, unpad } from "#net/wireguard/transport.ts";
import { bytes, fields, items, text, type Checker, type Vector } from "./checker.ts";

export const wgCheckers: Readonly<Record<string, Checker>> = {
  "wg.handshake": handshake,
  "wg.cookie": (vector) => {
    const responder = bytes(vector["responder_static_public"]);
    const key = cookies.mac1Key(responder);
    assert.equal(key.toString("hex"), vector["mac1_key"]);
    const message = Buffer.concat([bytes(vector["message_without_macs"]), Buffer.alloc(32)]);
    const mac1 = cookies.writeMacs(message, key, undefined);
    assert.equal(message.toString("hex"), vector["message_with_mac1"]);
    assert.ok(cookies.mac1Fits(message, key));
    const sealKey = cookies.cookieKey(responder);
    assert.equal(sealKey.toString("hex"), vector["cookie_key"]);
    const reply = bytes(vector["cookie_reply"]);
    const cookie = cookies.openCookieReply(reply, sealKey, mac1);
    assert.equal(cookie?.toString("hex"), vector["cookie"]);
    assert.ok(cookie);
    const again = cookies.createCookieReply(message, sealKey, bytes(vector["nonce"]), cookie);
    assert.equal(again.toString("hex"), vector["cookie_reply"]);
    cookies.writeMacs(message, key, cookie);
    assert.equal(message.toString("hex"), vector["message_with_mac1_and_mac2"]);
    assert.ok(cookies.mac2Fits(message, cookie));
  },
};

function handshake(vector: Vector): void {
  const initiator = privateKeyFrom(bytes(vector["initiator_static_private"]));
  const responder = privateKeyFrom(bytes(vector["responder_static_private"]));
  assert.equal(initiator.public.toString("hex"), vector["initiator_static_public"]);
  assert.equal(responder.public.toString("hex"), vector["responder_static_public"]);
  const staticSecret = sharedSecret(initiator, publicKeyFrom(responder.public));
  const presharedKey = bytes(vector["preshared_key"]);
  const ephemeral = privateKeyFrom(bytes(vector["initiator_ephemeral_private"]));
  const theirs = privateKeyFrom(bytes(vector["responder_ephemeral_private"]));
  const initiatorIndex = Number(vector["initiator_index"]);
  const responderIndex = Number(vector["responder_index"]);
  const steps: Record<string, string> = {
    initial_chaining_key: noise.initialChainingKey.toString("hex"),
    initial_hash: noise.initialHash.toString("hex"),
    init_mac1_key: cookies.mac1Key(responder.public).toString("hex"),
    resp_mac1_key: cookies.mac1Key(initiator.public).toString("hex"),
  };
  const onStep = (name: string, value: Buffer): void => {
    steps[name] = value.toString("hex");
  };

  const timestamp = bytes(vector["timestamp"]);
  const first = noise.createInitiation(
    {
      key: initiator,
      peer: publicKeyFrom(responder.public),
      staticSecret,
      ephemeral,
      senderIndex: initiatorIndex,
      timestamp,
    },
    onStep,
  );
  cookies.writeMacs(first.message, cookies.mac1Key(responder.public), undefined);
  assert.equal(first.message.toString("hex"), vector["initiation"]);
  const opened = noise.openInitiation(responder, first.message);
  assert.ok(opened);
  assert.deepEqual(opened.peer, initiator.public);
  const finished = opened.finish(staticSecret);
  assert.ok(finished);
  assert.deepEqual(finished.timestamp, timestamp);

  const second = noise.createResponse(
    {
      state: finished.state,
      peer: publicKeyFrom(opened.peer),
      peerEphemeral: opened.ephemeral,
      ephemeral: theirs,
      senderIndex: responderIndex,
      receiverIndex: opened.senderIndex,
      presharedKey,
    },
    onStep,
  );
  assert.ok(second);
  cookies.writeMacs(second.message, cookies.mac1Key(initiator.public), undefined);
  assert.equal(second.message.toString("hex"), vector["response"]);
  const keys = noise.openResponse(
    { key: initiator, ephemeral, state: first.state, presharedKey },
    second.message,
  );
  assert.ok(keys);
  assert.deepEqual({ send: keys.receive, receive: keys.send }, second.keys);
  steps["initiator_send_key"] = keys.send.toString("hex");
  steps["initiator_recv_key"] = keys.receive.toString("hex");
  assert.deepEqual(steps, fields(vector["steps"]));

  for (const item of items(vector["transport"])) {
    const key = item["from"] === "initiator" ? keys.send : keys.receive;
    const inner = bytes(item["inner"] ?? "");
    const counter = Number(item["counter"]);
    const packet = sealTransport(key, Number(item["receiver_index"]), counter, inner);
    assert.equal(packet.toString("hex"), text(item["packet"]));
    assert.equal(packet.length, item["packet_len"]);
    assert.equal(transportCounter(packet), counter);
    const plaintext = openTransport(key, packet);
    assert.ok(plaintext);
    assert.equal(plaintext.length, item["padded_len"]);
    assert.equal(inner.length, item["inner_len"]);
    if (inner.length > 0) assert.deepEqual(unpad(plaintext), inner);
    assert.equal(item["keepalive"] ?? false, plaintext.length === 0);
  }
}
