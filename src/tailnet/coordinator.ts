/**
 * The coordinator (spec network §6): passes nodes between peers that share a tunnel, and knows nothing else of the
 * network. This one serves one replica from memory; coderd and its RPC handlers use it through `Coordinator`, so that
 * one that shares its state through the database can take its place.
 *
 * Promises: nobody learns a node without a tunnel; LOST and DISCONNECTED go only to peers that were sent a NODE; tunnels
 * to a peer survive its reconnect; a slow reader is cut off and delays nobody.
 */
import { toBinary } from "@bufbuild/protobuf";
import { type CoordinateRequest, type Node, NodeSchema } from "#rpc/gen/tailnet_pb.js";
import { parseNodePublicBinary } from "#net/keys/text.ts";
import type { Clock } from "#quartz/clock.ts";
import { uuidText } from "./addresses.ts";
import { type CoordinatorStream, Kind, Peer, peerUpdate } from "./coordinator-peer.ts";
import { type PeerAuth, requestError } from "./tunnel-auth.ts";

export interface ConnectOptions {
  /** UUID in lower case. */
  readonly id: string;
  readonly auth: PeerAuth;
  readonly name?: string;
}

export interface Coordinator {
  connect(options: ConnectOptions): CoordinatorStream;
  /** What the peer announced last, if it is connected. */
  node(id: string): Node | undefined;
  /** Whether a peer with this WireGuard key is connected, or was within the last ten minutes. */
  knowsKey(publicKey: Buffer): boolean;
  close(): void;
}

/** How long a key is known after its peer left. */
const keyMemoryMs = 10 * 60_000;

export interface PeerDump {
  readonly id: string;
  readonly name: string;
  readonly start: Date;
  readonly overwrites: number;
  readonly node: Node | undefined;
  readonly tunnels: readonly string[];
}

export class MemoryCoordinator implements Coordinator {
  readonly #clock: Clock;
  readonly #peers = new Map<string, Peer>();
  /** Source → destinations, and the reverse. */
  readonly #tunnels = new Map<string, Set<string>>();
  readonly #reverse = new Map<string, Set<string>>();
  /** WireGuard key (hex) → its live peer, or when that left on the monotonic clock. */
  readonly #keys = new Map<string, { peer: string | undefined; leftAt: number }>();
  /** Address text → its live peer. */
  readonly #addresses = new Map<string, string>();
  #sweepAt = 0;
  #closed = false;

  constructor(options: { readonly clock: Clock }) {
    this.#clock = options.clock;
  }

  connect(options: ConnectOptions): CoordinatorStream {
    const peer = new Peer(options.id, options.auth, options.name ?? options.id, this.#clock.now());
    const stream: CoordinatorStream = {
      id: peer.id,
      request: (request) => this.#request(peer, request),
      responses: () => peer.responses(),
      lose: () => this.#remove(peer, Kind.LOST, "lost"),
    };
    if (this.#closed) {
      peer.fail("coordinator closed");
      peer.end();
      return stream;
    }
    const older = this.#peers.get(peer.id);
    if (older) {
      peer.overwrites = older.overwrites + 1;
      this.#forgetNode(older);
      older.fail("peer ID overwritten by new connection");
      older.end();
    }
    this.#peers.set(peer.id, peer);
    const updates = [...this.#tunnelPeers(peer.id)].flatMap((id) => {
      const other = this.#peers.get(id);
      if (!other?.node) return [];
      peer.sent.set(id, other.nodeBytes);
      return [peerUpdate(id, Kind.NODE, "init", other.node)];
    });
    this.#deliver(peer, updates);
    return stream;
  }

  node(id: string): Node | undefined {
    return this.#peers.get(id)?.node;
  }

  knowsKey(publicKey: Buffer): boolean {
    const entry = this.#keys.get(publicKey.toString("hex"));
    if (!entry) return false;
    return entry.peer !== undefined || this.#clock.monotonic() - entry.leftAt < keyMemoryMs;
  }

  /** For the debug page. */
  dump(): PeerDump[] {
    return Array.from(this.#peers.values(), ({ id, name, start, overwrites, node }) => ({
      id,
      name,
      start,
      overwrites,
      node,
      tunnels: [...(this.#tunnels.get(id) ?? [])],
    }));
  }

  close(): void {
    this.#closed = true;
    for (const peer of this.#peers.values()) {
      this.#remove(peer, Kind.LOST, "coordinator close", "coordinator closed");
    }
  }

  async #request(peer: Peer, request: CoordinateRequest): Promise<void> {
    if (peer.ended) return;
    const refused = await requestError(peer.auth, request);
    // Another connection may have taken the peer's place while a database was asked.
    if (peer.ended) return;
    const error = refused ?? this.#clash(peer, request.updateSelf?.node);
    if (error !== undefined) return this.#remove(peer, Kind.LOST, "lost", `authorization: ${error}`);
    if (request.updateSelf?.node) this.#updateSelf(peer, request.updateSelf.node);
    if (request.addTunnel) this.#addTunnel(peer, uuidText(request.addTunnel.id));
    if (request.removeTunnel) this.#removeTunnel(peer, uuidText(request.removeTunnel.id));
    if (request.disconnect) return this.#remove(peer, Kind.DISCONNECTED, "graceful disconnect");
    for (const { id } of request.readyForHandshake) this.#ready(peer, uuidText(id));
  }

  /** A key or an address that another live peer holds. One peer may come back under a new id with both its own. */
  #clash(peer: Peer, node: Node | undefined): string | undefined {
    if (!node) return undefined;
    const key = parseNodePublicBinary(node.key)?.toString("hex") ?? "";
    const holder = this.#keys.get(key)?.peer;
    const others = node.addresses
      .map((address) => this.#addresses.get(address))
      .filter((id) => id !== undefined);
    if (holder !== undefined && holder !== peer.id) {
      const same = others.length > 0 && others.every((id) => id === holder);
      if (!same) return "the node key belongs to another peer";
      return undefined;
    }
    return others.some((id) => id !== peer.id) ? "an address belongs to another peer" : undefined;
  }

  #updateSelf(peer: Peer, node: Node): void {
    this.#forgetNode(peer);
    peer.node = node;
    peer.nodeBytes = Buffer.from(toBinary(NodeSchema, node)).toString("latin1");
    const key = parseNodePublicBinary(node.key)?.toString("hex");
    if (key !== undefined) this.#keys.set(key, { peer: peer.id, leftAt: 0 });
    for (const address of node.addresses) this.#addresses.set(address, peer.id);
    for (const id of this.#tunnelPeers(peer.id)) {
      const other = this.#peers.get(id);
      if (other) this.#sendNode(other, peer, "node update");
    }
  }

  #addTunnel(peer: Peer, id: string | undefined): void {
    if (id === undefined) return this.#remove(peer, Kind.LOST, "lost", "malformed tunnel id");
    link(this.#tunnels, peer.id, id);
    link(this.#reverse, id, peer.id);
    const other = this.#peers.get(id);
    if (!other) return;
    this.#sendNode(peer, other, "add tunnel");
    this.#sendNode(other, peer, "add tunnel");
  }

  #removeTunnel(peer: Peer, id: string | undefined): void {
    if (id === undefined) return this.#remove(peer, Kind.LOST, "lost", "malformed tunnel id");
    if (!this.#tunnels.get(peer.id)?.has(id)) return;
    const other = this.#peers.get(id);
    this.#sendGone(peer, id, Kind.DISCONNECTED, "remove tunnel");
    if (other) this.#sendGone(other, peer.id, Kind.DISCONNECTED, "remove tunnel");
    unlink(this.#tunnels, peer.id, id);
    unlink(this.#reverse, id, peer.id);
  }

  #ready(peer: Peer, id: string | undefined): void {
    if (id === undefined) return this.#remove(peer, Kind.LOST, "lost", "malformed ready for handshake id");
    if (!this.#tunnelPeers(peer.id).has(id)) {
      peer.fail(`ready for handshake error: you do not share a tunnel with "${id}"`);
      return;
    }
    const other = this.#peers.get(id);
    if (other) this.#deliver(other, [peerUpdate(peer.id, Kind.READY_FOR_HANDSHAKE, "")]);
  }

  #remove(
    peer: Peer,
    kind: typeof Kind.LOST | typeof Kind.DISCONNECTED,
    reason: string,
    error?: string,
  ): void {
    if (peer.ended) return;
    if (error !== undefined) peer.fail(error);
    peer.end();
    this.#peers.delete(peer.id);
    this.#forgetNode(peer);
    for (const id of this.#tunnelPeers(peer.id)) {
      const other = this.#peers.get(id);
      if (other) this.#sendGone(other, peer.id, kind, reason);
    }
    for (const id of this.#tunnels.get(peer.id) ?? []) unlink(this.#reverse, id, peer.id);
    this.#tunnels.delete(peer.id);
  }

  #sendNode(to: Peer, about: Peer, reason: string): void {
    if (!about.node || to.sent.get(about.id) === about.nodeBytes) return;
    to.sent.set(about.id, about.nodeBytes);
    this.#deliver(to, [peerUpdate(about.id, Kind.NODE, reason, about.node)]);
  }

  #sendGone(
    to: Peer,
    about: string,
    kind: typeof Kind.LOST | typeof Kind.DISCONNECTED,
    reason: string,
  ): void {
    if (to.sent.delete(about)) this.#deliver(to, [peerUpdate(about, kind, reason)]);
  }

  #deliver(to: Peer, updates: Parameters<Peer["enqueue"]>[0]): void {
    if (to.ended || to.enqueue(updates)) return;
    this.#remove(to, Kind.DISCONNECTED, "failed update", "failed to update tunnel peer mapping");
  }

  /** Frees the key and addresses of the node that the peer had. */
  #forgetNode(peer: Peer): void {
    if (!peer.node) return;
    const key = parseNodePublicBinary(peer.node.key)?.toString("hex") ?? "";
    if (this.#keys.get(key)?.peer === peer.id) {
      this.#keys.set(key, { peer: undefined, leftAt: this.#clock.monotonic() });
    }
    for (const address of peer.node.addresses) {
      if (this.#addresses.get(address) === peer.id) this.#addresses.delete(address);
    }
    this.#sweepKeys();
  }

  #sweepKeys(): void {
    const now = this.#clock.monotonic();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + keyMemoryMs;
    for (const [key, { peer, leftAt }] of this.#keys) {
      if (peer === undefined && now - leftAt >= keyMemoryMs) this.#keys.delete(key);
    }
  }

  #tunnelPeers(id: string): Set<string> {
    return new Set([...(this.#tunnels.get(id) ?? []), ...(this.#reverse.get(id) ?? [])]);
  }
}

function link(map: Map<string, Set<string>>, from: string, to: string): void {
  const set = map.get(from);
  if (set) set.add(to);
  else map.set(from, new Set([to]));
}

function unlink(map: Map<string, Set<string>>, from: string, to: string): void {
  const set = map.get(from);
  set?.delete(to);
  if (set?.size === 0) map.delete(from);
}
