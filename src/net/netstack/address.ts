/**
 * IP addresses as bytes and text. Text out is RFC 5952 (the longest run of zeros is `::`); text in is what RFC 4291
 * allows, without zones, so that nothing that node:net would take for a scope slips in.
 */
import { isIPv4, isIPv6 } from "node:net";

/** 4 or 16 bytes; undefined for anything that is no address. */
export function parseAddress(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split(".").map(Number));
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let plain = text;
  if (mapped) {
    const [, front = "", tail = ""] = mapped;
    const bytes = tail.split(".").map(Number);
    const group = (index: number): string =>
      (((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16);
    plain = `${front}${group(0)}:${group(2)}`;
  }
  const [head = "", tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill("0"), ...right];
  const out = Buffer.alloc(16);
  groups.forEach((value, index) => out.writeUInt16BE(Number.parseInt(value, 16), index * 2));
  return out;
}

/** 4 or 16 bytes as text. IPv4 mapped into IPv6 reads as `::ffff:1.2.3.4`. */
export function formatAddress(bytes: Uint8Array): string {
  const data = Buffer.from(bytes);
  if (data.length === 4) return [...data].join(".");
  if (isMapped(data)) return `::ffff:${[...data.subarray(12)].join(".")}`;
  const groups = Array.from({ length: 8 }, (_, index) => data.readUInt16BE(index * 2));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  if (best.at < 0) return hex(0, 8);
  return `${hex(0, best.at)}::${hex(best.at + best.length, 8)}`;
}

/** `1.2.3.4:5` or `[2001:db8::1]:5`; IPv4 mapped into IPv6 is shown as IPv4. */
export function formatAddressPort(bytes: Uint8Array, port: number): string {
  const data = Buffer.from(bytes);
  if (data.length === 4) return `${formatAddress(data)}:${port}`;
  if (isMapped(data)) return `${formatAddress(data.subarray(12))}:${port}`;
  return `[${formatAddress(data)}]:${port}`;
}

const mappedPrefix = Buffer.from("00000000000000000000ffff", "hex");

function isMapped(data: Buffer): boolean {
  return data.length === 16 && data.subarray(0, 12).equals(mappedPrefix);
}

/** `address/bits`; undefined for anything else. Zones are refused. */
export function parsePrefix(text: string): { readonly address: Buffer; readonly bits: number } | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = parseAddress(match?.[1] ?? "");
  const bits = Number(match?.[2]);
  if (!address || bits > address.length * 8) return undefined;
  return { address, bits };
}
