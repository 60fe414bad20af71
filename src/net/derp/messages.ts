/** What DERP frames say (spec network §11.1), both ways. Readers of broken payloads throw; short ones are skipped. */
import { nonceLength, openBox, sealBox } from "../keys/box.ts";
import {
  DerpProtocolError,
  encodeFrame,
  frameType,
  keyLength,
  magic,
  maxInfo,
  protocolVersion,
} from "./frame.ts";

/** What a client says of itself at login. */
export interface ClientInfo {
  readonly version: number;
  readonly meshKey: string;
  readonly canAckPings: boolean;
  readonly isProber: boolean;
}

/** What the server grants. Zero = no limit. */
export interface ServerInfo {
  readonly version: number;
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
}

export function encodeServerKey(key: Uint8Array): Buffer {
  return encodeFrame(frameType.serverKey, magic, key);
}

/** The server's public key. Later versions may add bytes behind it. */
export function decodeServerKey(payload: Buffer): Buffer {
  if (payload.length < magic.length + keyLength || !payload.subarray(0, magic.length).equals(magic)) {
    throw new DerpProtocolError("the greeting is not that of a DERP server");
  }
  return Buffer.from(payload.subarray(magic.length, magic.length + keyLength));
}

export function clientInfoJson(info: ClientInfo): string {
  return JSON.stringify({
    ...(info.version === 0 ? {} : { version: info.version }),
    ...(info.meshKey === "" ? {} : { meshKey: info.meshKey }),
    CanAckPings: info.canAckPings,
    ...(info.isProber ? { IsProber: true } : {}),
  });
}

export function encodeClientInfo(
  info: ClientInfo,
  seal: { readonly publicKey: Uint8Array; readonly boxKey: Uint8Array; readonly nonce: Uint8Array },
): Buffer {
  const box = sealBox(seal.boxKey, seal.nonce, Buffer.from(clientInfoJson(info)));
  return encodeFrame(frameType.clientInfo, seal.publicKey, seal.nonce, box);
}

/** The client's public key and its box, still closed. */
export function splitClientInfo(payload: Buffer): {
  readonly publicKey: Buffer;
  readonly nonce: Buffer;
  readonly box: Buffer;
} {
  const boxAt = keyLength + nonceLength;
  if (payload.length < boxAt || payload.length > maxInfo) {
    throw new DerpProtocolError(`client info of ${payload.length} bytes`);
  }
  return {
    publicKey: Buffer.from(payload.subarray(0, keyLength)),
    nonce: payload.subarray(keyLength, boxAt),
    box: payload.subarray(boxAt),
  };
}

export function openClientInfo(boxKey: Uint8Array, nonce: Uint8Array, box: Uint8Array): ClientInfo {
  const info = parseObject(openBox(boxKey, nonce, box), "client info");
  return {
    version: asNumber(info["version"]),
    meshKey: typeof info["meshKey"] === "string" ? info["meshKey"] : "",
    canAckPings: info["CanAckPings"] === true,
    isProber: info["IsProber"] === true,
  };
}

export function serverInfoJson(info: ServerInfo): string {
  return JSON.stringify({
    ...(info.version === 0 ? {} : { version: info.version }),
    ...(info.bytesPerSecond === 0 ? {} : { TokenBucketBytesPerSecond: info.bytesPerSecond }),
    ...(info.bytesBurst === 0 ? {} : { TokenBucketBytesBurst: info.bytesBurst }),
  });
}

export function encodeServerInfo(info: ServerInfo, boxKey: Uint8Array, nonce: Uint8Array): Buffer {
  return encodeFrame(frameType.serverInfo, nonce, sealBox(boxKey, nonce, Buffer.from(serverInfoJson(info))));
}

export function decodeServerInfo(boxKey: Uint8Array, payload: Buffer): ServerInfo {
  if (payload.length < nonceLength || payload.length > maxInfo) {
    throw new DerpProtocolError(`server info of ${payload.length} bytes`);
  }
  const opened = openBox(boxKey, payload.subarray(0, nonceLength), payload.subarray(nonceLength));
  const info = parseObject(opened, "server info");
  return {
    version: asNumber(info["version"]),
    bytesPerSecond: asNumber(info["TokenBucketBytesPerSecond"]),
    bytesBurst: asNumber(info["TokenBucketBytesBurst"]),
  };
}

export const ourVersion = { version: protocolVersion } as const;

export function encodePeerGone(key: Uint8Array, reason: number): Buffer {
  return encodeFrame(frameType.peerGone, key, Buffer.of(reason));
}

export function encodeRestarting(reconnectInMs: number, tryForMs: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(reconnectInMs, 0);
  payload.writeUInt32BE(tryForMs, 4);
  return encodeFrame(frameType.restarting, payload);
}

/** What a logged-in client hears. Frames that are too short or unknown are not heard at all. */
export type ClientEvent =
  | { readonly type: "recv_packet"; readonly key: Buffer; readonly packet: Buffer }
  | { readonly type: "keep_alive" }
  | { readonly type: "peer_gone"; readonly key: Buffer; readonly reason: number }
  | { readonly type: "peer_present"; readonly key: Buffer }
  | { readonly type: "ping" | "pong"; readonly data: Buffer }
  | { readonly type: "health"; readonly problem: string }
  | { readonly type: "restarting"; readonly reconnectInMs: number; readonly tryForMs: number }
  | ({ readonly type: "server_info" } & ServerInfo);

/** Throws DerpProtocolError where the server broke the protocol. */
export function decodeClientEvent(
  type: number,
  payload: Buffer,
  boxKey: () => Uint8Array,
): ClientEvent | undefined {
  switch (type) {
    case frameType.recvPacket:
      if (payload.length < keyLength) return undefined;
      return {
        type: "recv_packet",
        key: payload.subarray(0, keyLength),
        packet: payload.subarray(keyLength),
      };
    case frameType.keepAlive:
      return { type: "keep_alive" };
    case frameType.peerGone:
      if (payload.length < keyLength) return undefined;
      return {
        type: "peer_gone",
        key: payload.subarray(0, keyLength),
        reason: payload.length > keyLength ? payload.readUInt8(keyLength) : 0,
      };
    case frameType.peerPresent:
      if (payload.length < keyLength) return undefined;
      return { type: "peer_present", key: payload.subarray(0, keyLength) };
    case frameType.ping:
    case frameType.pong:
      if (payload.length < 8) return undefined;
      return { type: type === frameType.ping ? "ping" : "pong", data: Buffer.from(payload.subarray(0, 8)) };
    case frameType.health:
      return { type: "health", problem: payload.toString("utf8", 0, 4096) };
    case frameType.restarting:
      if (payload.length < 8) return undefined;
      return {
        type: "restarting",
        reconnectInMs: payload.readUInt32BE(0),
        tryForMs: payload.readUInt32BE(4),
      };
    case frameType.serverInfo:
      return { type: "server_info", ...decodeServerInfo(boxKey(), payload) };
    default:
      return undefined;
  }
}

function parseObject(json: Buffer | undefined, what: string): Readonly<Record<string, unknown>> {
  if (!json) throw new DerpProtocolError(`the box of the ${what} cannot be opened`);
  let value: unknown;
  try {
    value = JSON.parse(json.toString("utf8"));
  } catch {
    throw new DerpProtocolError(`the ${what} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DerpProtocolError(`the ${what} is not an object`);
  }
  return Object.fromEntries(Object.entries(value));
}

function asNumber(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
