/** What a connection asks of its surroundings, and how it fails. */
import type { Clock } from "#quartz/clock.ts";
import type { Segment } from "./segment.ts";

export class ConnectionError extends Error {
  readonly code: "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "ECONNABORTED";
  constructor(code: ConnectionError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export type OutSegment = Omit<Segment, "sourcePort" | "destinationPort">;

export interface ConnectionEvents {
  send(segment: OutSegment): void;
  onConnect(): void;
  /** Data or the peer's end can be read. */
  onReadable(): void;
  onWritable(): void;
  /** Both halves are done, or the connection failed. Comes once. */
  onClose(error: Error | undefined): void;
  /** The table may forget it. Comes once, after onClose; later by TIME-WAIT. */
  onGone(): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly initialSeq: number;
  readonly mss: number;
  readonly events: ConnectionEvents;
}
