/** Node messages (spec network §5): what a peer tells of itself, between its wire form and a checked value. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { parsePrefix } from "#net/netstack/address.ts";
import {
  discoPublicText,
  nodePublicBinary,
  parseDiscoPublicText,
  parseNodePublicBinary,
} from "#net/keys/text.ts";
import { type Node, NodeSchema } from "#rpc/gen/tailnet_pb.js";

/** Bounds of what a peer may announce. */
export const maxNodeBytes = 16 * 1024;
const maxEndpoints = 100;
const maxPrefixes = 32;

export interface TailnetNode {
  readonly id: bigint;
  readonly asOf: Date;
  /** WireGuard key, 32 bytes. */
  readonly key: Buffer;
  /** Disco key, 32 bytes. */
  readonly disco: Buffer;
  /** Home relay region; 0 = unknown. */
  readonly preferredDerp: number;
  /** `<region>-v4` or `-v6` → seconds. */
  readonly derpLatency: Readonly<Record<string, number>>;
  /** Region → why it is reached by WebSocket. */
  readonly derpForcedWebsocket: Readonly<Record<number, string>>;
  /** 16 or 4 bytes each, with the length of the prefix. */
  readonly addresses: readonly Prefix[];
  readonly allowedIps: readonly Prefix[];
  /** `ip:port` texts. */
  readonly endpoints: readonly string[];
}

export interface Prefix {
  readonly address: Buffer;
  readonly bits: number;
  readonly text: string;
}

/** Throws with what is wrong. */
export function decodeNode(message: Node): TailnetNode {
  const key = parseNodePublicBinary(message.key);
  if (!key) throw new Error(`a node key of ${message.key.length} bytes`);
  const disco = parseDiscoPublicText(message.disco);
  if (!disco) throw new Error(`not a disco key: ${JSON.stringify(message.disco.slice(0, 100))}`);
  if (message.endpoints.length > maxEndpoints) throw new Error(`${message.endpoints.length} endpoints`);
  return {
    id: message.id,
    asOf: dateOf(message.asOf),
    key,
    disco,
    preferredDerp: message.preferredDerp,
    derpLatency: message.derpLatency,
    derpForcedWebsocket: message.derpForcedWebsocket,
    addresses: message.addresses.map(decodePrefix),
    allowedIps: message.allowedIps.map(decodePrefix),
    endpoints: message.endpoints,
  };
}

/** Refuses what would cost memory at every peer. Gives what is wrong. */
export function nodeBoundError(message: Node): string | undefined {
  if (message.endpoints.length > maxEndpoints) return `too many endpoints: ${message.endpoints.length}`;
  if (message.addresses.length > maxPrefixes) return `too many addresses: ${message.addresses.length}`;
  if (message.allowedIps.length > maxPrefixes) return `too many allowed IPs: ${message.allowedIps.length}`;
  const size = toBinary(NodeSchema, message).length;
  return size > maxNodeBytes ? `a node of ${size} bytes is too large` : undefined;
}

function decodePrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!prefix) throw new Error(`not a prefix: ${JSON.stringify(text.slice(0, 100))}`);
  return { ...prefix, text };
}

export interface NodeInput {
  readonly id: bigint;
  readonly asOf: Date;
  readonly key: Uint8Array;
  readonly disco: Uint8Array;
  readonly preferredDerp: number;
  readonly derpLatency: Readonly<Record<string, number>>;
  readonly derpForcedWebsocket: Readonly<Record<number, string>>;
  /** /128 texts; announced as allowed IPs too. */
  readonly prefixes: readonly string[];
  readonly endpoints: readonly string[];
}

export function encodeNode(node: NodeInput): Node {
  const ms = node.asOf.getTime();
  const init: MessageInitShape<typeof NodeSchema> = {
    id: node.id,
    asOf: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 },
    key: nodePublicBinary(node.key),
    disco: discoPublicText(node.disco),
    preferredDerp: node.preferredDerp,
    derpLatency: { ...node.derpLatency },
    derpForcedWebsocket: { ...node.derpForcedWebsocket },
    addresses: [...node.prefixes],
    allowedIps: [...node.prefixes],
    endpoints: [...node.endpoints],
  };
  return create(NodeSchema, init);
}

function dateOf(time: { readonly seconds: bigint; readonly nanos: number } | undefined): Date {
  return new Date(time ? Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6) : 0);
}
