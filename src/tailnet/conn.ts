/**
 * A peer of the tailnet: plugs relay connections, disco, WireGuard and the TCP stack together. Agents, clients and the
 * server itself hold one. It knows nothing of the coordinator: controllers.ts feeds it peers and announces its node.
 *
 * Everything crosses its border as byte streams and plain messages, so that the data plane may live in another thread.
 */
import { RelayedDisco, type Pong } from "#net/disco/relayed.ts";
import { looksLikeDisco } from "#net/disco/message.ts";
import { DerpLinks, type RegionDialer } from "#net/derp/links.ts";
import { relayRegions } from "#net/derp/map.ts";
import { newPrivateKey, type PrivateKey } from "#net/keys/x25519.ts";
import { parseAddress } from "#net/netstack/address.ts";
import { type ForwardRequest, type Handler, Netstack } from "#net/netstack/stack.ts";
import type { TcpStream } from "#net/netstack/tcp/stream.ts";
import { WireGuard } from "#net/wireguard/device.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { DERPMap, Node } from "#rpc/gen/tailnet_pb.js";
import type { Logger } from "#slog/slog.ts";
import { encodeNode, type TailnetNode } from "./node.ts";

/** A peer that is heard again after this long may have been cut off. */
const silentMs = 1_000;
/** Pings of a peer that is not reachable yet: 50 ms, growing by half, at most 30 s apart. */
const reachFirstMs = 50;
const reachMaxMs = 30_000;
const persistentKeepaliveMs = 25_000;

export interface TailnetConnOptions {
  /** Node id: the agent's, or a random positive one. */
  readonly nodeId: bigint;
  /** Own addresses as text, without prefix lengths. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly derpMap?: DERPMap;
  /** Sent to relays. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly forceWebsockets?: boolean;
  /** How relays are reached. @default over HTTP */
  readonly dialRelay?: RegionDialer;
  /** Connections to ports without a listener. @default refused */
  readonly onForward?: (request: ForwardRequest) => void;
}

/** A peer as WireGuard knows it. */
export interface PeerState {
  readonly node: TailnetNode;
  readonly keepalive: boolean;
}

export interface Traffic {
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly connections: number;
}

interface Peer {
  /** Its home region. */
  readonly home: number;
  /** The region through which it was heard last. */
  heard: number;
  /** On the monotonic clock. */
  heardAt: number;
  readonly node: TailnetNode;
}

export class TailnetConn implements AsyncDisposable {
  readonly #options: TailnetConnOptions;
  readonly #key: PrivateKey;
  readonly #links: DerpLinks;
  readonly #disco: RelayedDisco;
  readonly #wireguard: WireGuard;
  readonly #stack: Netstack;
  readonly #peers = new Map<string, Peer>();
  readonly #byAddress = new Map<string, TailnetNode>();
  readonly #onNode = new Set<(node: Node) => void>();
  #latency: Readonly<Record<string, number>> = {};
  #map: DERPMap | undefined;
  readonly #traffic = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 };

  private constructor(options: TailnetConnOptions) {
    const { clock, rand, log, headers, forceWebsockets, dialRelay, onForward } = options;
    this.#options = options;
    this.#key = newPrivateKey(rand);
    this.#links = new DerpLinks({
      key: this.#key,
      clock,
      rand,
      log,
      ...(headers ? { headers } : {}),
      ...(forceWebsockets === undefined ? {} : { forceWebsockets }),
      ...(dialRelay ? { dial: dialRelay } : {}),
      onPacket: (region, source, packet) => this.#onPacket(region, source, packet),
      onUp: (region) => void this.#onRelayUp(region),
      onForcedWebsocket: () => this.#announce(),
    });
    this.#disco = new RelayedDisco({
      clock,
      rand,
      nodeKey: this.#key.public,
      send: (region, key, packet) => void this.#links.send(region, key, packet),
    });
    this.#wireguard = new WireGuard({
      key: this.#key,
      clock,
      rand,
      send: (key, packet) => this.#sendSealed(key, packet),
      deliver: (packet) => {
        this.#traffic.rxBytes += packet.length;
        this.#traffic.rxPackets++;
        this.#stack.receive(packet);
      },
    });
    this.#stack = new Netstack({
      addresses: options.addresses,
      clock,
      rand,
      send: (packet) => {
        this.#traffic.txBytes += packet.length;
        this.#traffic.txPackets++;
        this.#wireguard.output(packet);
      },
      ...(onForward ? { onForward } : {}),
    });
  }

  static start(options: TailnetConnOptions): TailnetConn {
    const conn = new TailnetConn(options);
    if (options.derpMap) conn.setDerpMap(options.derpMap);
    return conn;
  }

  get publicKey(): Buffer {
    return this.#key.public;
  }

  get derpMap(): DERPMap | undefined {
    return this.#map;
  }

  /** What passed inside the tunnel since the start, and TCP connections that are open. */
  get traffic(): Traffic {
    return { ...this.#traffic, connections: this.#stack.connections };
  }

  /** What this peer announces; undefined while its home relay is not known. */
  node(): Node | undefined {
    if (this.#links.home === 0) return undefined;
    return encodeNode({
      id: this.#options.nodeId,
      asOf: this.#options.clock.now(),
      key: this.#key.public,
      disco: this.#disco.publicKey,
      preferredDerp: this.#links.home,
      derpLatency: this.#latency,
      derpForcedWebsocket: this.#links.forcedWebsocket(),
      prefixes: this.#options.addresses.map((address) => `${address}/128`),
      endpoints: [],
    });
  }

  /** Calls with the node now, if there is one, and on every change. Gives a function that ends it. */
  onNode(fn: (node: Node) => void): () => void {
    this.#onNode.add(fn);
    const node = this.node();
    if (node) fn(node);
    return () => this.#onNode.delete(fn);
  }

  setDerpMap(map: DERPMap): void {
    this.#map = map;
    this.#links.setMap(map);
    const regions = relayRegions(map);
    const home = regions.find((region) => Number(region.regionId) === this.#links.home) ?? regions[0];
    const before = this.#links.home;
    this.#links.setHome(home ? Number(home.regionId) : 0);
    if (before !== this.#links.home) this.#announce();
  }

  /** Adds a peer or changes it. Its endpoints are not used: packets go through relays. */
  setPeer({ node, keepalive }: PeerState): void {
    const name = node.key.toString("latin1");
    this.#disco.setPeer(node.key, node.disco);
    this.#wireguard.setPeer({
      publicKey: node.key,
      allowedIps: node.allowedIps.map(({ address }) => address),
      persistentKeepaliveMs: keepalive ? persistentKeepaliveMs : 0,
    });
    const known = this.#peers.get(name);
    const heard = known && known.home === node.preferredDerp ? known.heard : 0;
    if (known) this.#forgetAddresses(known.node);
    this.#peers.set(name, { home: node.preferredDerp, heard, heardAt: known?.heardAt ?? 0, node });
    for (const { address } of node.addresses) this.#byAddress.set(address.toString("latin1"), node);
    // It was announced anew: after a restart of the server it can be reached from now on.
    if (known) this.#heard(node);
    if (known && known.home !== node.preferredDerp) this.#stack.kick();
  }

  removePeer(publicKey: Buffer): void {
    const name = publicKey.toString("latin1");
    const known = this.#peers.get(name);
    if (!known) return;
    this.#peers.delete(name);
    this.#forgetAddresses(known.node);
    this.#disco.removePeer(publicKey);
    this.#wireguard.removePeer(publicKey);
  }

  /** Shakes hands ahead of the first packet. */
  warmUp(publicKey: Buffer): void {
    this.#wireguard.warmUp(publicKey);
  }

  lastHandshake(publicKey: Buffer): Date | undefined {
    return this.#wireguard.status(publicKey)?.lastHandshake;
  }

  /** The peer that holds an address. */
  peerAt(address: string): TailnetNode | undefined {
    return this.#byAddress.get(parseAddress(address)?.toString("latin1") ?? "");
  }

  dialTcp(
    address: string,
    port: number,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<TcpStream> {
    return this.#stack.dial(address, port, options);
  }

  listenTcp(port: number, handler: Handler): () => void {
    return this.#stack.listen(port, handler);
  }

  /** Resolves with the round trip (ms) once the peer answers inside the tunnel. Rejects with the signal's reason. */
  async awaitReachable(address: string, options: { signal: AbortSignal }): Promise<number> {
    const { clock } = this.#options;
    const done = new AbortController();
    const signal = AbortSignal.any([options.signal, done.signal]);
    try {
      return await new Promise<number>((resolve, reject) => {
        options.signal.addEventListener("abort", () => reject(options.signal.reason), { once: true });
        const tryAgain = async (): Promise<void> => {
          for (let wait = reachFirstMs; !signal.aborted; wait = Math.min(wait * 1.5, reachMaxMs)) {
            this.#stack.tsmpPing(address, { signal }).then(resolve, () => {});
            await clock.sleep(wait, { signal, tag: "await-reachable" }).catch(() => {});
          }
          if (options.signal.aborted) reject(options.signal.reason);
        };
        void tryAgain();
      });
    } finally {
      done.abort(new Error("the peer is reachable"));
    }
  }

  /** Disco ping through the peer's home relay. */
  async ping(address: string, options: { signal: AbortSignal }): Promise<Pong> {
    const node = this.peerAt(address);
    if (!node) throw new Error(`no peer has the address ${address}`);
    return this.#disco.ping(node.preferredDerp, node.key, options.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#onNode.clear();
    this.#stack[Symbol.dispose]();
    this.#wireguard[Symbol.dispose]();
    // Resets leave with the microtasks of this turn.
    await Promise.resolve();
    await this.#links[Symbol.asyncDispose]();
  }

  #forgetAddresses(node: TailnetNode): void {
    for (const { address } of node.addresses) {
      const name = address.toString("latin1");
      if (this.#byAddress.get(name) === node) this.#byAddress.delete(name);
    }
  }

  #sendSealed(key: Buffer, packet: Buffer): void {
    const peer = this.#peers.get(key.toString("latin1"));
    if (!peer) return;
    const region = peer.heard !== 0 && this.#links.isUp(peer.heard) ? peer.heard : peer.home;
    this.#links.send(region, key, packet);
  }

  #onPacket(region: number, source: Buffer, packet: Buffer): void {
    const peer = this.#peers.get(source.toString("latin1"));
    if (!peer) return;
    peer.heard = region;
    const now = this.#options.clock.monotonic();
    const silent = now - peer.heardAt >= silentMs;
    peer.heardAt = now;
    if (looksLikeDisco(packet)) this.#disco.receive(region, source, packet);
    else this.#wireguard.receive(packet);
    if (silent) this.#heard(peer.node);
  }

  #heard(node: TailnetNode): void {
    for (const { address } of node.addresses) this.#stack.heard(address);
  }

  async #onRelayUp(region: number): Promise<void> {
    // What was lost while the relay was away is sent again at once, and peers hear that they may do the same.
    this.#stack.kick();
    for (const { home, node } of this.#peers.values()) {
      if (home === region) this.#wireguard.wayIsOpen(node.key);
    }
    if (region !== this.#links.home) return;
    try {
      const ms = await this.#links.ping(region);
      if (ms === undefined) return;
      this.#latency = { [`${region}-v4`]: ms / 1000 };
      this.#announce();
    } catch {
      // The relay hung up: the next connection measures.
    }
  }

  #announce(): void {
    const node = this.node();
    if (!node) return;
    for (const fn of this.#onNode) fn(node);
  }
}
