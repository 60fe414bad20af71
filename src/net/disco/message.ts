/**
 * Disco packets (spec network §12): how peers find paths to each other.
 *
 *   magic 54 53 f0 9f 92 ac │ sender disco key 32 │ nonce 24 │ box(message)
 *   message: type u8 │ version u8 │ body
 *     01 ping v1           txid 12 │ node key 32 │ zeros
 *     02 pong v1           txid 12 │ observed source: address 16, port u16 BE │ zeros
 *     03 call-me-maybe v0  n × (address 16, port u16 BE)
 *
 * Ping and pong are padded so that the whole packet has 1310 bytes: a path that cannot carry a full WireGuard packet
 * is never chosen. Parsers are lenient about lengths.
 */
import { nonceLength, openBox, sealBox, tagLength } from "../keys/box.ts";

export const discoMagic: Buffer = Buffer.from("5453f09f92ac", "hex");
const keyLength = 32;
const boxAt = discoMagic.length + keyLength + nonceLength;
const packetLength = 1310;
const paddedMessage = packetLength - boxAt - tagLength;
const txIdLength = 12;
/** More candidates than any machine has addresses. */
const maxEndpoints = 100;

/** An address as it stands in messages: 16 bytes, IPv4 mapped into IPv6. */
export interface Endpoint {
  readonly address: Buffer;
  readonly port: number;
}

export type DiscoMessage =
  | { readonly type: "ping"; readonly txId: Buffer; readonly nodeKey: Buffer | undefined }
  | { readonly type: "pong"; readonly txId: Buffer; readonly source: Endpoint }
  | { readonly type: "call_me_maybe"; readonly endpoints: readonly Endpoint[] };

export function encodeDisco(message: DiscoMessage): Buffer {
  if (message.type === "call_me_maybe") {
    const out = Buffer.alloc(2 + 18 * message.endpoints.length);
    out.writeUInt8(3, 0);
    message.endpoints.forEach((endpoint, index) => writeEndpoint(out, 2 + 18 * index, endpoint));
    return out;
  }
  const out = Buffer.alloc(paddedMessage);
  out.writeUInt8(message.type === "ping" ? 1 : 2, 0);
  out.writeUInt8(1, 1);
  message.txId.copy(out, 2);
  if (message.type === "pong") writeEndpoint(out, 2 + txIdLength, message.source);
  else message.nodeKey?.copy(out, 2 + txIdLength);
  return out;
}

/** Throws for messages that are too short or of an unknown type. */
export function decodeDisco(data: Buffer): DiscoMessage {
  if (data.length < 2) throw new Error("short message");
  const type = data.readUInt8(0);
  const version = data.readUInt8(1);
  const body = data.subarray(2);
  switch (type) {
    case 1: {
      if (body.length < txIdLength) throw new Error("short message");
      const key = body.subarray(txIdLength, txIdLength + keyLength);
      return {
        type: "ping",
        txId: Buffer.from(body.subarray(0, txIdLength)),
        nodeKey: key.length === keyLength && version >= 1 ? Buffer.from(key) : undefined,
      };
    }
    case 2:
      if (body.length < txIdLength + 18) throw new Error("short message");
      return {
        type: "pong",
        txId: Buffer.from(body.subarray(0, txIdLength)),
        source: readEndpoint(body, txIdLength),
      };
    case 3: {
      const endpoints: Endpoint[] = [];
      if (version === 0 && body.length % 18 === 0) {
        for (let at = 0; at < body.length && endpoints.length < maxEndpoints; at += 18) {
          endpoints.push(readEndpoint(body, at));
        }
      }
      return { type: "call_me_maybe", endpoints };
    }
    default:
      throw new Error(`unknown message type 0x${type.toString(16).padStart(2, "0")}`);
  }
}

export function looksLikeDisco(packet: Buffer): boolean {
  return packet.length >= boxAt && discoMagic.equals(packet.subarray(0, discoMagic.length));
}

/** The key whose holder claims to have sent this; the caller checks `looksLikeDisco` first. */
export function discoSender(packet: Buffer): Buffer {
  return packet.subarray(discoMagic.length, discoMagic.length + keyLength);
}

export function sealDisco(
  message: DiscoMessage,
  sender: { readonly publicKey: Uint8Array; readonly boxKey: Uint8Array; readonly nonce: Uint8Array },
): Buffer {
  const box = sealBox(sender.boxKey, sender.nonce, encodeDisco(message));
  return Buffer.concat([discoMagic, sender.publicKey, sender.nonce, box]);
}

/** The message's bytes, undefined where the box is not from that sender to us. */
export function openDisco(packet: Buffer, boxKey: Uint8Array): Buffer | undefined {
  return openBox(boxKey, packet.subarray(boxAt - nonceLength, boxAt), packet.subarray(boxAt));
}

function writeEndpoint(out: Buffer, at: number, endpoint: Endpoint): void {
  endpoint.address.copy(out, at);
  out.writeUInt16BE(endpoint.port, at + 16);
}

function readEndpoint(data: Buffer, at: number): Endpoint {
  return { address: Buffer.from(data.subarray(at, at + 16)), port: data.readUInt16BE(at + 16) };
}
