/**
 * Text and binary forms of keys (spec network §5): `nodekey:<64 hex>`, `privkey:<64 hex>`, `discokey:<64 hex>`,
 * 34 bytes `np` ‖ raw in node messages, and short forms for logs. Parsing takes upper case and exact lengths only.
 */

const binaryPrefix = Buffer.from("np");

export function nodePublicText(raw: Uint8Array): string {
  return `nodekey:${hex(raw)}`;
}

export function nodePrivateText(raw: Uint8Array): string {
  return `privkey:${hex(raw)}`;
}

export function discoPublicText(raw: Uint8Array): string {
  return `discokey:${hex(raw)}`;
}

export function nodePublicBinary(raw: Uint8Array): Buffer {
  return Buffer.concat([binaryPrefix, raw]);
}

/** Each parser gives the raw 32 bytes, undefined for anything else. */
export function parseNodePublicText(text: string): Buffer | undefined {
  return parseText("nodekey:", text);
}

export function parseNodePrivateText(text: string): Buffer | undefined {
  return parseText("privkey:", text);
}

export function parseDiscoPublicText(text: string): Buffer | undefined {
  return parseText("discokey:", text);
}

export function parseNodePublicBinary(data: Uint8Array): Buffer | undefined {
  const bytes = Buffer.from(data);
  if (bytes.length !== 34 || !bytes.subarray(0, 2).equals(binaryPrefix)) return undefined;
  return bytes.subarray(2);
}

/** 64 hex characters without a prefix, as in the header `Derp-Public-Key`. */
export function parseUntyped(text: string): Buffer | undefined {
  return parseText("", text);
}

/** `[YwkT8]`: for logs. */
export function nodeShort(raw: Uint8Array): string {
  return `[${base64(raw).slice(0, 5)}]`;
}

/** `d:630913f335112492`: for logs. */
export function discoShort(raw: Uint8Array): string {
  return `d:${hex(raw).slice(0, 16)}`;
}

/** `peer(YwkT…hGy8)`: how WireGuard's logs name a peer. */
export function wireguardLogName(raw: Uint8Array): string {
  const text = base64(raw);
  return `peer(${text.slice(0, 4)}…${text.slice(39, 43)})`;
}

function parseText(prefix: string, text: string): Buffer | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const rest = text.slice(prefix.length);
  return /^[0-9a-fA-F]{64}$/.test(rest) ? Buffer.from(rest, "hex") : undefined;
}

function hex(raw: Uint8Array): string {
  return Buffer.from(raw).toString("hex");
}

function base64(raw: Uint8Array): string {
  return Buffer.from(raw).toString("base64");
}
