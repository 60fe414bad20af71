/**
 * The handshake's cryptography as pure functions (spec network §14; the WireGuard paper, §5.4). All integers are
 * little-endian.
 *
 *   initiation (148)  01 00 00 00 │ sender u32 │ ephemeral 32 │ static 32+16 │ timestamp 12+16 │ mac1 16 │ mac2 16
 *   response    (92)  02 00 00 00 │ sender u32 │ receiver u32 │ ephemeral 32 │ empty 0+16      │ mac1 16 │ mac2 16
 *
 * The macs stay zero here: cookies.ts writes them.
 */
import { type PrivateKey, type PublicKey, publicKeyFrom, sharedSecret } from "../keys/x25519.ts";
import { empty, hash, kdf1, kdf2, kdf3, open, seal } from "./primitives.ts";

export const messageType = { initiation: 1, response: 2, cookieReply: 3, transport: 4 } as const;
export const initiationLength = 148;
export const responseLength = 92;

const construction = Buffer.from("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s");
const identifier = Buffer.from("WireGuard v1 zx2c4 Jason@zx2c4.com");
export const initialChainingKey: Buffer = hash(construction);
export const initialHash: Buffer = hash(initialChainingKey, identifier);

/** Shows each intermediate value; for tests against recorded ones. */
export type OnStep = (name: string, value: Buffer) => void;
const noStep: OnStep = () => {};

/** What both sides know between initiation and response. */
export interface HandshakeState {
  readonly chainingKey: Buffer;
  readonly hash: Buffer;
}

export interface Identity {
  readonly key: PrivateKey;
}

export interface InitiationInput {
  readonly key: PrivateKey;
  readonly peer: PublicKey;
  /** Secret of both static keys; constant per peer. */
  readonly staticSecret: Buffer;
  readonly ephemeral: PrivateKey;
  readonly senderIndex: number;
  /** TAI64N, 12 bytes. */
  readonly timestamp: Buffer;
}

export function createInitiation(
  input: InitiationInput,
  onStep: OnStep = noStep,
): { readonly message: Buffer; readonly state: HandshakeState } {
  const { key, peer, ephemeral } = input;
  const message = Buffer.alloc(initiationLength);
  message.writeUInt32LE(messageType.initiation, 0);
  message.writeUInt32LE(input.senderIndex, 4);
  ephemeral.public.copy(message, 8);
  let chaining = kdf1(initialChainingKey, ephemeral.public);
  let transcript = hash(hash(initialHash, peer.raw), ephemeral.public);
  const [afterEphemeral, staticKey] = kdf2(chaining, sharedSecret(ephemeral, peer));
  onStep("init_key_static", staticKey);
  const sealedStatic = seal(staticKey, 0, key.public, transcript);
  sealedStatic.copy(message, 40);
  transcript = hash(transcript, sealedStatic);
  const [afterStatic, timestampKey] = kdf2(afterEphemeral, input.staticSecret);
  onStep("init_key_timestamp", timestampKey);
  const sealedTime = seal(timestampKey, 0, input.timestamp, transcript);
  sealedTime.copy(message, 88);
  chaining = afterStatic;
  transcript = hash(transcript, sealedTime);
  onStep("init_chaining_key", chaining);
  onStep("init_hash", transcript);
  return { message, state: { chainingKey: chaining, hash: transcript } };
}

/** An initiation of which the sender's static key is known, its timestamp not yet. */
export interface OpenedInitiation {
  readonly senderIndex: number;
  /** The initiator's static key, raw. */
  readonly peer: Buffer;
  readonly ephemeral: PublicKey;
  /** Given the secret of both static keys: timestamp and state, undefined where forged. */
  finish(staticSecret: Buffer): { readonly timestamp: Buffer; readonly state: HandshakeState } | undefined;
}

/** The caller has checked length and mac1. Undefined where it was not made for our key. */
export function openInitiation(key: PrivateKey, message: Buffer): OpenedInitiation | undefined {
  const rawEphemeral = Buffer.from(message.subarray(8, 40));
  const ephemeral = publicKeyFrom(rawEphemeral);
  const chaining = kdf1(initialChainingKey, rawEphemeral);
  const transcript = hash(hash(initialHash, key.public), rawEphemeral);
  const secret = secretOrNothing(key, ephemeral);
  if (!secret) return undefined;
  const [afterEphemeral, staticKey] = kdf2(chaining, secret);
  const sealedStatic = message.subarray(40, 88);
  const peer = open(staticKey, 0, sealedStatic, transcript);
  if (!peer) return undefined;
  const withStatic = hash(transcript, sealedStatic);
  return {
    senderIndex: message.readUInt32LE(4),
    peer,
    ephemeral,
    finish(staticSecret) {
      const [afterStatic, timestampKey] = kdf2(afterEphemeral, staticSecret);
      const sealedTime = message.subarray(88, 116);
      const timestamp = open(timestampKey, 0, sealedTime, withStatic);
      if (!timestamp) return undefined;
      return { timestamp, state: { chainingKey: afterStatic, hash: hash(withStatic, sealedTime) } };
    },
  };
}

/** Keys of a session as its holder uses them. */
export interface TransportKeys {
  readonly send: Buffer;
  readonly receive: Buffer;
}

export interface ResponseInput {
  readonly state: HandshakeState;
  readonly peer: PublicKey;
  readonly peerEphemeral: PublicKey;
  readonly ephemeral: PrivateKey;
  readonly senderIndex: number;
  readonly receiverIndex: number;
  readonly presharedKey: Buffer;
}

/** Undefined where the initiator's keys are of low order. */
export function createResponse(
  input: ResponseInput,
  onStep: OnStep = noStep,
): { readonly message: Buffer; readonly keys: TransportKeys } | undefined {
  const { ephemeral } = input;
  const withEphemeral = secretOrNothing(ephemeral, input.peerEphemeral);
  const withStatic = secretOrNothing(ephemeral, input.peer);
  if (!withEphemeral || !withStatic) return undefined;
  const message = Buffer.alloc(responseLength);
  message.writeUInt32LE(messageType.response, 0);
  message.writeUInt32LE(input.senderIndex, 4);
  message.writeUInt32LE(input.receiverIndex, 8);
  ephemeral.public.copy(message, 12);
  const mixed = mixResponse(input, ephemeral.public, withEphemeral, withStatic, onStep);
  const sealed = seal(mixed.key, 0, empty, mixed.hash);
  sealed.copy(message, 44);
  onStep("resp_hash", hash(mixed.hash, sealed));
  const [receive, send] = kdf2(mixed.chainingKey, empty);
  return { message, keys: { send, receive } };
}

export interface OpenResponseInput {
  readonly key: PrivateKey;
  readonly ephemeral: PrivateKey;
  readonly state: HandshakeState;
  readonly presharedKey: Buffer;
}

/** The initiator's half. The caller has checked length, mac1 and receiver. Undefined where forged. */
export function openResponse(
  input: OpenResponseInput,
  message: Buffer,
  onStep: OnStep = noStep,
): TransportKeys | undefined {
  const rawEphemeral = Buffer.from(message.subarray(12, 44));
  const theirs = publicKeyFrom(rawEphemeral);
  const withEphemeral = secretOrNothing(input.ephemeral, theirs);
  const withStatic = secretOrNothing(input.key, theirs);
  if (!withEphemeral || !withStatic) return undefined;
  const mixed = mixResponse(input, rawEphemeral, withEphemeral, withStatic, onStep);
  if (!open(mixed.key, 0, message.subarray(44, 60), mixed.hash)) return undefined;
  const [send, receive] = kdf2(mixed.chainingKey, empty);
  return { send, receive };
}

function mixResponse(
  input: { readonly state: HandshakeState; readonly presharedKey: Buffer },
  ephemeral: Buffer,
  withEphemeral: Buffer,
  withStatic: Buffer,
  onStep: OnStep,
): { readonly chainingKey: Buffer; readonly hash: Buffer; readonly key: Buffer } {
  const first = kdf1(input.state.chainingKey, ephemeral);
  const transcript = hash(input.state.hash, ephemeral);
  const third = kdf1(kdf1(first, withEphemeral), withStatic);
  const [chainingKey, tau, key] = kdf3(third, input.presharedKey);
  onStep("resp_tau", tau);
  onStep("resp_key", key);
  onStep("resp_chaining_key", chainingKey);
  return { chainingKey, hash: hash(transcript, tau), key };
}

function secretOrNothing(mine: PrivateKey, theirs: PublicKey): Buffer | undefined {
  try {
    return sharedSecret(mine, theirs);
  } catch {
    return undefined;
  }
}
