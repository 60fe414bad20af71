/**
 * Messages between parts of the server and between its replicas. Messages are hints: a receiver reads the data again,
 * a lost message only delays (everybody polls too). Implementations: `PgPubsub` (pg-pubsub.ts) and, for tests and
 * tools without a database, `MemoryPubsub` (memory-pubsub.ts); one test-suite holds both.
 */

export interface Listener {
  /** Called in the order of publishing, one at a time; an error it throws is logged. Must not block. */
  message(payload: string): void;
  /** Messages may have been lost (the connection broke): read everything again. */
  dropped?(): void;
}

export interface Pubsub {
  /**
   * Resolves when the message is on its way. Never inside a transaction: use `tx.afterCommit`.
   * Throws on a payload above `maxPayload` bytes.
   */
  publish(channel: string, payload: string): Promise<void>;
  /** Resolves when no later message can be missed. Disposing ends it at once. Rejects if the signal aborts first. */
  subscribe(channel: string, listener: Listener, signal?: AbortSignal): Promise<Disposable>;
}

/** NOTIFY takes less than 8000 bytes. */
export const maxPayload = 7999;
/** PostgreSQL cuts longer names silently. */
const maxChannel = 63;

export function checkChannel(channel: string): void {
  const length = Buffer.byteLength(channel);
  if (length === 0 || length > maxChannel || channel.includes("\0")) {
    throw new Error(`channel name must have 1 to ${maxChannel} bytes: received ${JSON.stringify(channel)}`);
  }
}

export function checkMessage(channel: string, payload: string): void {
  checkChannel(channel);
  const length = Buffer.byteLength(payload);
  if (length > maxPayload) {
    throw new Error(`message on ${channel} has ${length} bytes, more than ${maxPayload}`);
  }
}
