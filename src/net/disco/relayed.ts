/**
 * Disco over relays (spec network §12): answers pings of known peers and measures the way to them. A packet counts only
 * when the relay's source key and the disco key belong to the same peer.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import { boxKey, nonceLength } from "../keys/box.ts";
import { newPrivateKey, type PrivateKey, publicKeyFrom } from "../keys/x25519.ts";
import {
  decodeDisco,
  type DiscoMessage,
  discoSender,
  type Endpoint,
  openDisco,
  sealDisco,
} from "./message.ts";

/** What pongs over a relay name as source: 127.3.3.40 and the region as port. */
const relayAddress = Buffer.from("00000000000000000000ffff7f030328", "hex");

export interface DiscoOptions {
  readonly clock: Clock;
  readonly rand: Rand;
  readonly nodeKey: Buffer;
  readonly send: (regionId: number, nodeKey: Buffer, packet: Buffer) => void;
}

interface DiscoPeer {
  readonly disco: Buffer;
  readonly boxKey: Buffer;
}

export interface Pong {
  readonly latencyMs: number;
  readonly regionId: number;
}

export class RelayedDisco {
  readonly #options: DiscoOptions;
  readonly #key: PrivateKey;
  /** By node key. */
  readonly #peers = new Map<string, DiscoPeer>();
  readonly #pings = new Map<
    string,
    { readonly peer: string; readonly resolve: (pong: Pong) => void; readonly at: number }
  >();

  constructor(options: DiscoOptions) {
    this.#options = options;
    this.#key = newPrivateKey(options.rand);
  }

  get publicKey(): Buffer {
    return this.#key.public;
  }

  setPeer(nodeKey: Buffer, disco: Buffer): void {
    const name = nodeKey.toString("latin1");
    if (this.#peers.get(name)?.disco.equals(disco)) return;
    this.#peers.set(name, { disco, boxKey: boxKey(this.#key, publicKeyFrom(disco)) });
  }

  removePeer(nodeKey: Buffer): void {
    this.#peers.delete(nodeKey.toString("latin1"));
  }

  /** A disco packet that the relay says is from this node. Anything unfitting is dropped in silence. */
  receive(regionId: number, nodeKey: Buffer, packet: Buffer): void {
    const name = nodeKey.toString("latin1");
    const peer = this.#peers.get(name);
    if (!peer || !peer.disco.equals(discoSender(packet))) return;
    const message = this.#open(packet, peer);
    if (message?.type === "ping") {
      const source: Endpoint = { address: relayAddress, port: regionId };
      this.#send(regionId, nodeKey, peer, { type: "pong", txId: message.txId, source });
    } else if (message?.type === "pong") {
      const id = message.txId.toString("hex");
      const ping = this.#pings.get(id);
      if (ping?.peer !== name) return;
      this.#pings.delete(id);
      ping.resolve({ latencyMs: this.#options.clock.monotonic() - ping.at, regionId });
    }
  }

  /** Asks the peer for a pong through a region. Rejects with the signal's reason. */
  ping(regionId: number, nodeKey: Buffer, signal: AbortSignal): Promise<Pong> {
    const name = nodeKey.toString("latin1");
    const peer = this.#peers.get(name);
    if (!peer) return Promise.reject(new Error("the peer is not known"));
    const { clock, rand } = this.#options;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const txId = rand.bytes(12);
      const id = txId.toString("hex");
      const onAbort = (): void => {
        this.#pings.delete(id);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const answered = (pong: Pong): void => {
        signal.removeEventListener("abort", onAbort);
        resolve(pong);
      };
      this.#pings.set(id, { peer: name, resolve: answered, at: clock.monotonic() });
      this.#send(regionId, nodeKey, peer, { type: "ping", txId, nodeKey: this.#options.nodeKey });
    });
  }

  #open(packet: Buffer, peer: DiscoPeer): DiscoMessage | undefined {
    const plaintext = openDisco(packet, peer.boxKey);
    if (!plaintext) return undefined;
    try {
      return decodeDisco(plaintext);
    } catch {
      return undefined;
    }
  }

  #send(regionId: number, nodeKey: Buffer, peer: DiscoPeer, message: DiscoMessage): void {
    const nonce = this.#options.rand.bytes(nonceLength);
    const packet = sealDisco(message, { publicKey: this.#key.public, boxKey: peer.boxKey, nonce });
    this.#options.send(regionId, nodeKey, packet);
  }
}
