/**
 * The terminal modes that a client sends with its `pty-req`. ssh2 reads them from the wrong place (at an offset of one)
 * and finds none, so the packets are looked at before ssh2 gets them:
 *
 *     98, channel (4), "pty-req", want reply (1), TERM, columns (4), rows (4), width (4), height (4), modes
 */
import type { Connection } from "ssh2";
import { type Modes, parseModes } from "./modes.ts";

const channelRequest = 98;
const noModes: Modes = new Map();

/** Call it before the key exchange. Returns the modes of the `pty-req` that is being handled. */
export function watchPtyModes(connection: Connection): () => Modes {
  let modes = noModes;
  const protocol: unknown = Reflect.get(connection, "_protocol");
  if (!takesPayloads(protocol)) return () => noModes;
  const handle = protocol._onPayload;
  protocol._onPayload = (payload) => {
    modes = ptyModes(payload);
    return handle(payload);
  };
  return () => modes;
}

function ptyModes(payload: Uint8Array): Modes {
  if (payload[0] !== channelRequest) return noModes;
  try {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    let at = 5;
    const text = (): Buffer => {
      const end = at + 4 + bytes.readUInt32BE(at);
      const part = bytes.subarray(at + 4, end);
      at = end;
      return part;
    };
    if (text().toString("latin1") !== "pty-req") return noModes;
    at += 1;
    text();
    at += 16;
    return parseModes(text());
  } catch {
    // Cut off: ssh2 says so to the client.
    return noModes;
  }
}

interface TakesPayloads {
  _onPayload: (payload: Uint8Array) => unknown;
}

const takesPayloads = (value: unknown): value is TakesPayloads =>
  typeof value === "object" && value !== null && typeof Reflect.get(value, "_onPayload") === "function";
