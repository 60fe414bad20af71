/** Addresses and ids that follow from UUIDs (spec network §5), and the ports of an agent. */
import { formatAddress } from "#net/netstack/address.ts";

/** fd7a:115c:a1e0::/48: what CLI, SDK and server dial. */
const servicePrefix = Buffer.from("fd7a115ca1e0", "hex");
/** fd60:627a:a42b::/48: what the desktop VPN routes. */
const vpnPrefix = Buffer.from("fd60627aa42b", "hex");

export const agentPort = { ssh: 1, reconnectingPty: 2, speedtest: 3, httpApi: 4, sshStandard: 22 } as const;

/** 16 bytes of a UUID; throws for anything that is none. */
export function uuidBytes(uuid: string): Buffer {
  const hex = uuid.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new Error(`not a UUID: ${JSON.stringify(uuid)}`);
  return Buffer.from(hex, "hex");
}

/** Undefined unless there are 16 bytes. */
export function uuidText(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 16) return undefined;
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The agent's address for CLI, SDK and server: the UUID with its first six bytes replaced. */
export function serviceAddress(uuid: string): string {
  return formatAddress(Buffer.concat([servicePrefix, uuidBytes(uuid).subarray(6)]));
}

/** The agent's address for the desktop VPN. */
export function vpnAddress(uuid: string): string {
  return formatAddress(Buffer.concat([vpnPrefix, uuidBytes(uuid).subarray(6)]));
}

/** Whether 16 bytes lie in one of the two prefixes. */
export function isTailnetAddress(address: Uint8Array): boolean {
  const head = Buffer.from(address.subarray(0, 6));
  return address.length === 16 && (head.equals(servicePrefix) || head.equals(vpnPrefix));
}

/** What an agent announces. */
export function agentPrefixes(uuid: string): readonly [string, string] {
  return [`${serviceAddress(uuid)}/128`, `${vpnAddress(uuid)}/128`];
}

/** The address that agents of old versions announced for all. */
export const legacyAgentAddress = "fd7a:115c:a1e0:49d6:b259:b7ac:b1b2:48f4";

/** An agent's node id: the last 8 bytes of its UUID, big-endian and signed, without sign. */
export function agentNodeId(uuid: string): bigint {
  const value = uuidBytes(uuid).readBigInt64BE(8);
  return value < 0n ? -value : value;
}
