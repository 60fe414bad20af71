/**
 * The ssh host key of an agent: the same for a workspace's agent whatever machine it runs on, so that clients which
 * check it are not alarmed by a rebuild. It proves nothing (its seed is no secret): the tailnet has authenticated both
 * ends before ssh begins, and stock clients ignore the key.
 */
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

export interface HostKeySeed {
  readonly owner: string;
  readonly workspace: string;
  readonly agent: string;
}

/** PKCS#8 prefix of an Ed25519 private key (RFC 8410), followed by the 32 bytes of its seed. */
const pkcs8Ed25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * An Ed25519 key in OpenSSH's format (PROTOCOL.key):
 *
 *   "openssh-key-v1\0"  "none" "none" ""  u32 1  string public  string private
 *   private = u32 check, u32 check, "ssh-ed25519", public 32, seed 32 ‖ public 32, comment, padding 1 2 3 …
 */
export function hostKey({ owner, workspace, agent }: HostKeySeed): string {
  const seed = createHash("sha256").update(`coder ssh host key\0${owner}\0${workspace}\0${agent}`).digest();
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Ed25519, seed]), format: "der", type: "pkcs8" });
  const publicRaw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const type = string("ssh-ed25519");
  const publicBlob = Buffer.concat([type, string(publicRaw)]);
  const check = Buffer.from(seed.subarray(0, 4));
  const body = Buffer.concat([
    check,
    check,
    type,
    string(publicRaw),
    string(Buffer.concat([seed, publicRaw])),
    string(""),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, at) => at + 1));
  const blob = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string("none"),
    string("none"),
    string(""),
    u32(1),
    string(publicBlob),
    string(Buffer.concat([body, padding])),
  ]);
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes]);
}
