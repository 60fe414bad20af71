/** A peer's state at a device: keys, sessions, what waits for a handshake, and its deadlines. Data only. */
import { createSecretKey, type KeyObject } from "node:crypto";
import type { PrivateKey, PublicKey } from "../keys/x25519.ts";
import type { HandshakeState, TransportKeys } from "./noise.ts";
import { ReplayWindow } from "./replay.ts";

export interface Session {
  readonly peer: WgPeer;
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly sendKey: KeyObject;
  readonly receiveKey: KeyObject;
  readonly initiator: boolean;
  /** On the monotonic clock. */
  readonly since: number;
  readonly replay: ReplayWindow;
  counter: number;
}

export interface Handshake {
  readonly peer: WgPeer;
  readonly localIndex: number;
  readonly ephemeral: PrivateKey;
  readonly state: HandshakeState;
  readonly mac1: Buffer;
}

export interface WgPeer {
  readonly key: PublicKey;
  /** 32 raw bytes as a latin1 string: the name in maps. */
  readonly name: string;
  readonly staticSecret: Buffer;
  readonly mac1Key: Buffer;
  readonly cookieKey: Buffer;
  /** 16-byte addresses as latin1 strings: what the peer may send from, and what is routed to it. */
  allowedIps: ReadonlySet<string>;
  /** 0 = off. */
  keepaliveMs: number;

  current: Session | undefined;
  previous: Session | undefined;
  /** Answered by us, not yet confirmed by a packet of the initiator. */
  next: Session | undefined;
  handshake: Handshake | undefined;
  cookie: { readonly value: Buffer; readonly until: number } | undefined;
  /** Newest timestamp of an initiation, so that replays are refused. */
  lastTimestamp: Buffer;
  lastInitiationAt: number;
  /** Packets that wait for a session. */
  queue: Buffer[];

  /** When the current attempt to shake hands began, if one runs. */
  attemptSince: number | undefined;
  /** Initiations of this attempt. */
  tries: number;
  /** Deadlines on the monotonic clock. */
  retryAt: number | undefined;
  keepaliveAt: number | undefined;
  expectReplyBy: number | undefined;
  persistentAt: number | undefined;
  forgetAt: number | undefined;
  /** Wall clock, for status. */
  lastHandshake: Date | undefined;
  rxBytes: number;
  txBytes: number;
}

export function newSession({
  keys,
  ...fields
}: Pick<Session, "peer" | "localIndex" | "remoteIndex" | "initiator" | "since"> & {
  readonly keys: TransportKeys;
}): Session {
  return {
    ...fields,
    sendKey: createSecretKey(keys.send),
    receiveKey: createSecretKey(keys.receive),
    replay: new ReplayWindow(),
    counter: 0,
  };
}

/** The soonest of a peer's deadlines. */
export function nextDeadline(peer: WgPeer): number | undefined {
  let best: number | undefined;
  const { retryAt, keepaliveAt, expectReplyBy, persistentAt, forgetAt } = peer;
  for (const at of [retryAt, keepaliveAt, expectReplyBy, persistentAt, forgetAt]) {
    if (at !== undefined && (best === undefined || at < best)) best = at;
  }
  return best;
}
