/**
 * WireGuard as a state machine (spec network §14): inner IPv6 packets in, sealed packets out, and back. It opens no
 * sockets: `send` hands a sealed packet to whatever carries it, `receive` takes one. tailnet/conn.ts plugs it.
 *
 * Promises: a packet is delivered only from a peer whose allowed addresses contain its source; sessions rekey by time
 * and count; nothing is sent on a session before its initiator has confirmed it; memory per peer is bounded.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock, Timer } from "#quartz/clock.ts";
import { newPrivateKey, type PrivateKey, publicKeyFrom, sharedSecret } from "../keys/x25519.ts";
import { cookieKey, cookieReplyLength, mac1Fits, mac1Key, openCookieReply, writeMacs } from "./cookies.ts";
import * as noise from "./noise.ts";
import { newSession, nextDeadline, type Session, type Handshake, type WgPeer } from "./peer.ts";
import { empty } from "./primitives.ts";
import { timestamp } from "./timestamp.ts";
import { openTransport, sealTransport, transportCounter, transportOverhead, unpad } from "./transport.ts";

const rekeyAfterMs = 120_000;
const rejectAfterMs = 180_000;
const rekeyAttemptMs = 90_000;
const rekeyTimeoutMs = 5_000;
/**
 * The first tries of an attempt follow sooner, each after twice the time, up to `rekeyTimeoutMs`. Through relays the first
 * initiation is often lost: the other end has not reached its relay yet, or the relay does not know the sender yet.
 * Below the limit for initiations from one peer by far.
 */
const firstRetryMs = 200;
const rekeyJitterMs = 334;
const keepaliveMs = 10_000;
const cookieLifeMs = 120_000;
/** Counters stay exact integers far beyond this. */
const rekeyAfterMessages = 2 ** 48;
const rejectAfterMessages = 2 ** 52;
/** 50 initiations a second from one peer. */
const initiationSpacingMs = 20;
const queueLimit = 256;
const maxPeers = 65_536;
const noPsk = Buffer.alloc(32);

export interface DeviceOptions {
  readonly key: PrivateKey;
  readonly clock: Clock;
  readonly rand: Rand;
  /** Carries a sealed packet to the peer with this key. */
  readonly send: (publicKey: Buffer, packet: Buffer) => void;
  /** Takes an inner packet from that peer. */
  readonly deliver: (packet: Buffer, publicKey: Buffer) => void;
  readonly presharedKey?: Buffer;
}

export interface PeerConfig {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** 16 bytes each. */
  readonly allowedIps: readonly Buffer[];
  /** Keepalive when idle; 0 = off. */
  readonly persistentKeepaliveMs?: number;
}

export interface PeerStatus {
  readonly lastHandshake: Date | undefined;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export class WireGuard implements Disposable {
  readonly #options: DeviceOptions;
  readonly #mac1Key: Buffer;
  readonly #peers = new Map<string, WgPeer>();
  readonly #routes = new Map<string, WgPeer>();
  readonly #indices = new Map<number, Session | Handshake>();
  #timer: Timer | undefined;
  #armedFor = Infinity;
  #closed = false;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#mac1Key = mac1Key(options.key.public);
  }

  get publicKey(): Buffer {
    return this.#options.key.public;
  }

  /** Adds a peer or changes its settings; its sessions stay. Throws for keys of low order. */
  setPeer(config: PeerConfig): void {
    const name = config.publicKey.toString("latin1");
    const allowed = new Set(config.allowedIps.map((address) => address.toString("latin1")));
    let peer = this.#peers.get(name);
    if (!peer) {
      if (this.#peers.size >= maxPeers) throw new Error(`a device has at most ${maxPeers} peers`);
      peer = newPeer(config.publicKey, this.#options.key);
      this.#peers.set(name, peer);
    }
    for (const [address, owner] of this.#routes) if (owner === peer) this.#routes.delete(address);
    peer.allowedIps = allowed;
    for (const address of allowed) this.#routes.set(address, peer);
    peer.keepaliveMs = config.persistentKeepaliveMs ?? 0;
    peer.persistentAt = peer.keepaliveMs > 0 ? this.#now() + peer.keepaliveMs : undefined;
    this.#arm(peer);
  }

  removePeer(publicKey: Buffer): void {
    const peer = this.#peers.get(publicKey.toString("latin1"));
    if (!peer) return;
    this.#peers.delete(peer.name);
    for (const [address, owner] of this.#routes) if (owner === peer) this.#routes.delete(address);
    for (const held of [peer.current, peer.previous, peer.next, peer.handshake]) {
      if (held) this.#indices.delete(held.localIndex);
    }
  }

  status(publicKey: Buffer): PeerStatus | undefined {
    return this.#peers.get(publicKey.toString("latin1"));
  }

  /** Begins a handshake where no session is usable, so that the first packet need not wait for it. */
  warmUp(publicKey: Buffer): void {
    const peer = this.#peers.get(publicKey.toString("latin1"));
    if (peer && !this.#usable(peer)) this.#attempt(peer);
  }

  /** The way to the peer is open again, or at last: it hears so by an empty packet, or by an initiation at once. */
  wayIsOpen(publicKey: Buffer): void {
    const peer = this.#peers.get(publicKey.toString("latin1"));
    if (!peer) return;
    const session = this.#usable(peer);
    if (session) return this.#seal(peer, session, empty);
    peer.attemptSince = undefined;
    this.#attempt(peer);
  }

  /** Seals an inner packet to the peer that its destination is routed to; false where there is none. */
  output(packet: Buffer): boolean {
    const peer = packet.length >= 40 ? this.#routes.get(packet.toString("latin1", 24, 40)) : undefined;
    if (!peer || this.#closed) return false;
    const session = this.#usable(peer);
    if (!session) {
      if (peer.queue.length >= queueLimit) peer.queue.shift();
      peer.queue.push(packet);
      this.#attempt(peer);
      return true;
    }
    this.#seal(peer, session, packet);
    peer.expectReplyBy ??= this.#now() + keepaliveMs + rekeyTimeoutMs;
    const age = this.#now() - session.since;
    if (session.initiator && (age > rekeyAfterMs || session.counter > rekeyAfterMessages)) {
      this.#attempt(peer);
    }
    this.#arm(peer);
    return true;
  }

  /** Takes a packet from the network. Anything that does not fit is dropped in silence. */
  receive(packet: Buffer): void {
    if (this.#closed || packet.length < transportOverhead) return;
    switch (packet.readUInt32LE(0)) {
      case noise.messageType.transport:
        return this.#onTransport(packet);
      case noise.messageType.initiation:
        if (packet.length === noise.initiationLength) this.#onInitiation(packet);
        return;
      case noise.messageType.response:
        if (packet.length === noise.responseLength) this.#onResponse(packet);
        return;
      case noise.messageType.cookieReply:
        if (packet.length === cookieReplyLength) this.#onCookie(packet);
        return;
      default:
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer?.stop();
    this.#peers.clear();
    this.#routes.clear();
    this.#indices.clear();
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #usable(peer: WgPeer): Session | undefined {
    const { current } = peer;
    if (!current || current.counter >= rejectAfterMessages) return undefined;
    return this.#now() - current.since < rejectAfterMs ? current : undefined;
  }

  #seal(peer: WgPeer, session: Session, inner: Buffer): void {
    const packet = sealTransport(session.sendKey, session.remoteIndex, session.counter++, inner);
    peer.keepaliveAt = undefined;
    if (peer.keepaliveMs > 0) peer.persistentAt = this.#now() + peer.keepaliveMs;
    peer.txBytes += packet.length;
    this.#options.send(peer.key.raw, packet);
  }

  #flushQueue(peer: WgPeer): void {
    const session = this.#usable(peer);
    if (!session) return;
    const waiting = peer.queue;
    peer.queue = [];
    if (waiting.length > 0) peer.expectReplyBy ??= this.#now() + keepaliveMs + rekeyTimeoutMs;
    for (const packet of waiting) this.#seal(peer, session, packet);
  }

  #newIndex(): number {
    for (;;) {
      const index = this.#options.rand.int(2 ** 32);
      if (!this.#indices.has(index)) return index;
    }
  }

  /** Starts shaking hands unless an attempt runs. */
  #attempt(peer: WgPeer): void {
    if (peer.attemptSince !== undefined) return;
    peer.attemptSince = this.#now();
    peer.tries = 0;
    this.#initiate(peer);
  }

  #initiate(peer: WgPeer): void {
    const { key, rand, clock } = this.#options;
    if (peer.handshake) this.#indices.delete(peer.handshake.localIndex);
    const ephemeral = newPrivateKey(rand);
    const localIndex = this.#newIndex();
    const { message, state } = noise.createInitiation({
      key,
      peer: peer.key,
      staticSecret: peer.staticSecret,
      ephemeral,
      senderIndex: localIndex,
      timestamp: timestamp(clock.now()),
    });
    const now = this.#now();
    const cookie = peer.cookie && peer.cookie.until > now ? peer.cookie.value : undefined;
    const mac1 = writeMacs(message, peer.mac1Key, cookie);
    peer.handshake = { peer, localIndex, ephemeral, state, mac1 };
    this.#indices.set(localIndex, peer.handshake);
    const wait = firstRetryMs * 2 ** peer.tries++;
    peer.retryAt = now + (wait < rekeyTimeoutMs ? wait : rekeyTimeoutMs + rand.int(rekeyJitterMs));
    this.#arm(peer);
    peer.txBytes += message.length;
    this.#options.send(peer.key.raw, message);
  }

  #onInitiation(message: Buffer): void {
    if (!mac1Fits(message, this.#mac1Key)) return;
    const { key, rand, presharedKey } = this.#options;
    const opened = noise.openInitiation(key, message);
    const peer = opened && this.#peers.get(opened.peer.toString("latin1"));
    const finished = peer && opened.finish(peer.staticSecret);
    if (!finished || finished.timestamp.compare(peer.lastTimestamp) <= 0) return;
    const now = this.#now();
    if (now - peer.lastInitiationAt < initiationSpacingMs) return;
    peer.lastTimestamp = finished.timestamp;
    peer.lastInitiationAt = now;
    const localIndex = this.#newIndex();
    const response = noise.createResponse({
      state: finished.state,
      peer: peer.key,
      peerEphemeral: opened.ephemeral,
      ephemeral: newPrivateKey(rand),
      senderIndex: localIndex,
      receiverIndex: opened.senderIndex,
      presharedKey: presharedKey ?? noPsk,
    });
    if (!response) return;
    const cookie = peer.cookie && peer.cookie.until > now ? peer.cookie.value : undefined;
    writeMacs(response.message, peer.mac1Key, cookie);
    if (peer.next) this.#indices.delete(peer.next.localIndex);
    const fields = { peer, localIndex, remoteIndex: opened.senderIndex, keys: response.keys };
    peer.next = newSession({ ...fields, initiator: false, since: now });
    this.#indices.set(localIndex, peer.next);
    peer.rxBytes += message.length;
    peer.txBytes += response.message.length;
    this.#options.send(peer.key.raw, response.message);
  }

  #onResponse(message: Buffer): void {
    const handshake = this.#indices.get(message.readUInt32LE(8));
    if (!handshake || !("ephemeral" in handshake) || !mac1Fits(message, this.#mac1Key)) return;
    const { peer, ephemeral, state, localIndex } = handshake;
    const { key, presharedKey } = this.#options;
    const input = { key, ephemeral, state, presharedKey: presharedKey ?? noPsk };
    const keys = noise.openResponse(input, message);
    if (!keys) return;
    const remoteIndex = message.readUInt32LE(4);
    const session = newSession({ peer, localIndex, remoteIndex, keys, initiator: true, since: this.#now() });
    this.#indices.set(localIndex, session);
    peer.handshake = undefined;
    peer.rxBytes += message.length;
    this.#established(peer, session);
    // The first packet confirms the session to the responder, if only a keepalive.
    if (peer.queue.length > 0) this.#flushQueue(peer);
    else this.#seal(peer, session, empty);
    this.#arm(peer);
  }

  #established(peer: WgPeer, session: Session): void {
    if (peer.previous) this.#indices.delete(peer.previous.localIndex);
    peer.previous = peer.current;
    peer.current = session;
    peer.attemptSince = undefined;
    peer.retryAt = undefined;
    peer.expectReplyBy = undefined;
    peer.lastHandshake = this.#options.clock.now();
    peer.forgetAt = this.#now() + 3 * rejectAfterMs;
  }

  #onCookie(message: Buffer): void {
    const handshake = this.#indices.get(message.readUInt32LE(4));
    if (!handshake || !("ephemeral" in handshake)) return;
    const { peer, mac1 } = handshake;
    const value = openCookieReply(message, peer.cookieKey, mac1);
    // The next try, at its time, carries it.
    if (value) peer.cookie = { value, until: this.#now() + cookieLifeMs };
  }

  #onTransport(packet: Buffer): void {
    const session = this.#indices.get(packet.readUInt32LE(4));
    if (!session || !("replay" in session)) return;
    const now = this.#now();
    const age = now - session.since;
    if (age >= rejectAfterMs) return;
    const plaintext = openTransport(session.receiveKey, packet);
    if (!plaintext || !session.replay.accept(transportCounter(packet))) return;
    const { peer } = session;
    peer.rxBytes += packet.length;
    peer.expectReplyBy = undefined;
    if (peer.next === session) {
      peer.next = undefined;
      if (peer.handshake) {
        this.#indices.delete(peer.handshake.localIndex);
        peer.handshake = undefined;
      }
      this.#established(peer, session);
      this.#flushQueue(peer);
    }
    if (session.initiator && session === peer.current && age > rejectAfterMs - keepaliveMs - rekeyTimeoutMs) {
      this.#attempt(peer);
    }
    if (peer.keepaliveMs > 0) peer.persistentAt = now + peer.keepaliveMs;
    if (plaintext.length > 0) {
      peer.keepaliveAt ??= now + keepaliveMs;
      const inner = unpad(plaintext);
      if (inner && inner.length >= 40 && peer.allowedIps.has(inner.toString("latin1", 8, 24))) {
        this.#options.deliver(inner, peer.key.raw);
      }
    }
    this.#arm(peer);
  }

  /** One timer for the device, armed for the soonest deadline; packets only move deadlines. */
  #arm(peer: WgPeer): void {
    const at = nextDeadline(peer);
    if (at === undefined || at >= this.#armedFor || this.#closed) return;
    this.#armedFor = at;
    const ms = Math.max(0, at - this.#now());
    if (this.#timer) this.#timer.reset(ms);
    else {
      this.#timer = this.#options.clock.timer(ms, () => this.#onTimer(), { tag: "wireguard", unref: true });
    }
  }

  #onTimer(): void {
    this.#armedFor = Infinity;
    for (const peer of this.#peers.values()) {
      this.#onDeadlines(peer);
      this.#arm(peer);
    }
  }

  #onDeadlines(peer: WgPeer): void {
    const now = this.#now();
    const due = (at: number | undefined): boolean => at !== undefined && at <= now;
    if (due(peer.forgetAt)) this.#forgetSessions(peer);
    if (due(peer.retryAt)) {
      if (now - (peer.attemptSince ?? now) >= rekeyAttemptMs) this.#giveUp(peer);
      else this.#initiate(peer);
    }
    if (due(peer.expectReplyBy)) {
      peer.expectReplyBy = undefined;
      this.#attempt(peer);
    }
    if (due(peer.keepaliveAt) || due(peer.persistentAt)) {
      peer.keepaliveAt = undefined;
      if (peer.keepaliveMs > 0) peer.persistentAt = now + peer.keepaliveMs;
      const session = this.#usable(peer);
      if (session) this.#seal(peer, session, empty);
      else if (peer.keepaliveMs > 0) this.#attempt(peer);
    }
  }

  #giveUp(peer: WgPeer): void {
    if (peer.handshake) this.#indices.delete(peer.handshake.localIndex);
    peer.handshake = undefined;
    peer.attemptSince = undefined;
    peer.retryAt = undefined;
    peer.queue = [];
  }

  #forgetSessions(peer: WgPeer): void {
    peer.forgetAt = undefined;
    for (const session of [peer.current, peer.previous, peer.next]) {
      if (session) this.#indices.delete(session.localIndex);
    }
    peer.current = undefined;
    peer.previous = undefined;
    peer.next = undefined;
  }
}

function newPeer(raw: Buffer, key: PrivateKey): WgPeer {
  const publicKey = publicKeyFrom(raw);
  return {
    key: publicKey,
    name: raw.toString("latin1"),
    staticSecret: sharedSecret(key, publicKey),
    mac1Key: mac1Key(raw),
    cookieKey: cookieKey(raw),
    allowedIps: new Set(),
    keepaliveMs: 0,
    current: undefined,
    previous: undefined,
    next: undefined,
    handshake: undefined,
    cookie: undefined,
    lastTimestamp: Buffer.alloc(12),
    lastInitiationAt: -Infinity,
    queue: [],
    attemptSince: undefined,
    tries: 0,
    retryAt: undefined,
    keepaliveAt: undefined,
    expectReplyBy: undefined,
    persistentAt: undefined,
    forgetAt: undefined,
    lastHandshake: undefined,
    rxBytes: 0,
    txBytes: 0,
  };
}
