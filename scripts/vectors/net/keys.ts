/** Checkers of keys and boxes. */
import assert from "node:assert/strict";
import { boxKey, openBox, sealBox } from "#net/keys/box.ts";
import * as form from "#net/keys/text.ts";
import { privateKeyFrom, publicKeyFrom } from "#net/keys/x25519.ts";
import { bytes, text, type Checker } from "./checker.ts";

const parsers: Readonly<Record<string, (input: string) => Buffer | undefined>> = {
  node_public_text: form.parseNodePublicText,
  node_private_text: form.parseNodePrivateText,
  disco_public_text: form.parseDiscoPublicText,
  node_public_untyped: form.parseUntyped,
  node_public_binary: (input) => form.parseNodePublicBinary(Buffer.from(input, "hex")),
};

export const keyCheckers: Readonly<Record<string, Checker>> = {
  "nacl.box": (vector) => {
    const sender = privateKeyFrom(bytes(vector["sender_private"]));
    const receiver = privateKeyFrom(bytes(vector["receiver_private"]));
    const nonce = bytes(vector["nonce"]);
    assert.equal(sender.public.toString("hex"), vector["sender_public"]);
    assert.equal(receiver.public.toString("hex"), vector["receiver_public"]);
    const key = boxKey(sender, publicKeyFrom(receiver.public));
    assert.equal(key.toString("hex"), vector["shared_key"]);
    assert.deepEqual(boxKey(receiver, publicKeyFrom(sender.public)), key);
    assert.equal(sealBox(key, nonce, bytes(vector["plaintext"])).toString("hex"), vector["box"]);
    assert.equal(openBox(key, nonce, bytes(vector["box"]))?.toString("hex"), vector["plaintext"]);
  },
  "key.text": (vector) => {
    const key = privateKeyFrom(bytes(vector["private"]));
    const { public: raw } = key;
    assert.deepEqual(
      {
        private: key.raw.toString("hex"),
        public: raw.toString("hex"),
        node_private_text: form.nodePrivateText(key.raw),
        node_public_text: form.nodePublicText(raw),
        node_public_untyped: raw.toString("hex"),
        node_public_binary: form.nodePublicBinary(raw).toString("hex"),
        node_short: form.nodeShort(raw),
        node_wireguard_log: form.wireguardLogName(raw),
        disco_public_text: form.discoPublicText(raw),
        disco_short: form.discoShort(raw),
      },
      Object.fromEntries(Object.entries(vector).filter(([name]) => name !== "kind" && name !== "name")),
    );
    for (const [name, parse] of Object.entries(parsers)) {
      const expected = name === "node_private_text" ? key.raw : raw;
      assert.deepEqual(parse(text(vector[name])), expected, name);
    }
  },
  "key.parse": (vector) => {
    const parse = parsers[text(vector["form"])];
    assert.ok(parse, `no form is named ${text(vector["form"])}`);
    assert.equal(parse(text(vector["input"])) !== undefined, vector["ok"]);
  },
};
