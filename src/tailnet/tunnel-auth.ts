/**
 * Who may say what to the coordinator (spec network §6). An agent is bound to the addresses that follow from its UUID; a
 * client may open tunnels to agents that it may ssh to, from addresses of the tailnet's own prefixes. Everything that a
 * peer announces is checked here, because other peers program their WireGuard with it (CVE-2026-55428).
 */
import { isTailnetAddress, legacyAgentAddress, serviceAddress, uuidText, vpnAddress } from "./addresses.ts";
import { formatAddress, parsePrefix } from "#net/netstack/address.ts";
import { parseDiscoPublicText, parseNodePublicBinary } from "#net/keys/text.ts";
import type { CoordinateRequest, Node } from "#rpc/gen/tailnet_pb.js";
import { nodeBoundError } from "./node.ts";

export type PeerAuth =
  | { readonly kind: "agent"; readonly id: string }
  /** A client that asked for one agent, which the API has let it. */
  | { readonly kind: "client"; readonly agentId: string }
  /** A client of the tailnet API: each tunnel is asked for. */
  | { readonly kind: "user"; readonly maySsh: (agentId: string) => Promise<boolean> }
  /** The server's own peer, and proxies. */
  | { readonly kind: "server" };

/** Why a request is refused; undefined where it is fine. */
export async function requestError(auth: PeerAuth, request: CoordinateRequest): Promise<string | undefined> {
  const { updateSelf } = request;
  if (updateSelf?.node) {
    const error = nodeError(auth, updateSelf.node);
    if (error !== undefined) return error;
  }
  if (request.addTunnel) {
    const error = await tunnelError(auth, request.addTunnel.id);
    if (error !== undefined) return error;
  }
  const clientKind = auth.kind === "client" || auth.kind === "user";
  if (clientKind && request.readyForHandshake.length > 0) return "clients may not send ready_for_handshake";
  return undefined;
}

async function tunnelError(auth: PeerAuth, rawId: Uint8Array): Promise<string | undefined> {
  if (auth.kind === "agent") return "agents cannot open tunnels";
  const id = uuidText(rawId);
  if (id === undefined) return `parse add tunnel id: a UUID has 16 bytes: received ${rawId.length}`;
  if (auth.kind === "client" && id !== auth.agentId) {
    return `invalid agent id, expected ${auth.agentId}, got ${id}`;
  }
  if (auth.kind === "user" && !(await auth.maySsh(id))) {
    return "workspace agent not found or you do not have permission";
  }
  return undefined;
}

function nodeError(auth: PeerAuth, node: Node): string | undefined {
  if (auth.kind === "server") return nodeBoundError(node);
  if (auth.kind === "agent") {
    const own = new Set([serviceAddress(auth.id), vpnAddress(auth.id), legacyAgentAddress]);
    return (
      labelled(
        "Addresses",
        prefixesError(node.addresses, (address) => own.has(formatAddress(address))),
      ) ??
      labelled(
        "AllowedIps",
        prefixesError(node.allowedIps, (address) => own.has(formatAddress(address))),
      ) ??
      identityError(node)
    );
  }
  const announced = new Set(node.addresses);
  return (
    prefixesError(node.addresses, isTailnetAddress) ??
    prefixesError(node.allowedIps, isTailnetAddress) ??
    (node.allowedIps.every((prefix) => announced.has(prefix))
      ? undefined
      : "allowed IPs that are not among the addresses") ??
    identityError(node)
  );
}

function identityError(node: Node): string | undefined {
  const bound = nodeBoundError(node);
  if (bound !== undefined) return bound;
  if (!parseNodePublicBinary(node.key)) return "parse node key: not a key";
  if (!parseDiscoPublicText(node.disco)) return "parse node disco key: not a key";
  return undefined;
}

function labelled(label: string, error: string | undefined): string | undefined {
  return error === undefined ? undefined : `${label}: ${error}`;
}

function prefixesError(
  prefixes: readonly string[],
  allowed: (address: Buffer) => boolean,
): string | undefined {
  for (const text of prefixes) {
    const prefix = parsePrefix(text);
    if (!prefix) return `parse node address: ${JSON.stringify(text.slice(0, 100))}`;
    if (prefix.bits !== 128) return `invalid address bits, expected 128, got ${prefix.bits}`;
    if (!allowed(prefix.address)) return `invalid node address, got ${formatAddress(prefix.address)}`;
  }
  return undefined;
}
