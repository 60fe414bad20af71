/** A link between two packet functions under a mock clock: delay, loss, reordering and duplication from a seed. Tests only. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";

export interface LinkOptions {
  readonly clock: Clock;
  readonly rand: Rand;
  /** One way. @default 5 */
  readonly delayMs?: number;
  /** Parts in a thousand. */
  readonly loss?: number;
  readonly duplicate?: number;
  /** Parts in a thousand that come `delayMs` later than others. */
  readonly reorder?: number;
  /** Packets that may be on their way at once; more are dropped. */
  readonly queue?: number;
  /** Decides by itself what is lost. */
  readonly drop?: (packet: Buffer, index: number) => boolean;
}

export interface Link {
  send(packet: Buffer): void;
  readonly counts: { sent: number; lost: number };
}

/** One direction. */
export function newLink(options: LinkOptions, deliver: (packet: Buffer) => void): Link {
  const { clock, rand, delayMs = 5 } = options;
  const counts = { sent: 0, lost: 0 };
  const chance = (parts: number | undefined): boolean =>
    parts !== undefined && parts > 0 && rand.int(1000) < parts;
  let onTheWay = 0;
  let batch: Buffer[] = [];
  let batchAt = -1;
  const arrive = (packets: readonly Buffer[]): void => {
    onTheWay -= packets.length;
    for (const packet of packets) deliver(packet);
  };
  const schedule = (packet: Buffer, extra: number): void => {
    onTheWay++;
    // Packets of one moment share a timer: a burst of a thousand packets is one event.
    if (extra === 0 && batchAt === clock.monotonic()) {
      batch.push(packet);
      return;
    }
    const packets = [packet];
    if (extra === 0) {
      batch = packets;
      batchAt = clock.monotonic();
    }
    clock.timer(delayMs + extra, () => {
      if (batch === packets) batchAt = -1;
      arrive(packets);
    });
  };
  return {
    counts,
    send(packet) {
      const index = counts.sent++;
      if (onTheWay >= (options.queue ?? Infinity) || options.drop?.(packet, index) || chance(options.loss)) {
        counts.lost++;
        return;
      }
      schedule(Buffer.from(packet), chance(options.reorder) ? delayMs : 0);
      if (chance(options.duplicate)) schedule(Buffer.from(packet), 1);
    },
  };
}
