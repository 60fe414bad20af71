/** Waiting for messages of a channel, with a poll behind it: a lost message only delays. */
import type { Clock } from "#quartz/clock.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";

export interface FollowOptions {
  readonly pubsub: Pubsub;
  readonly clock: Clock;
  readonly channel: string;
  /** Whether a message is meant for us. @default every one */
  readonly concerns?: (payload: string) => boolean;
  readonly pollMs: number;
  /** Changes are shown at most this often. @default 0 */
  readonly restMs?: number;
  readonly signal: AbortSignal;
}

/** Yields once at the start, then after each message (several may become one) and at each poll; ends with the signal. */
export async function* changes(options: FollowOptions): AsyncGenerator<void, void> {
  const { pubsub, clock, channel, concerns = () => true, pollMs, restMs = 0, signal } = options;
  let changed = true;
  let wake: () => void = () => {};
  const mark = (): void => {
    changed = true;
    wake();
  };
  using _subscription = await pubsub.subscribe(
    channel,
    { message: (payload) => void (concerns(payload) && mark()), dropped: mark },
    signal,
  );
  const poll = clock.timer(
    pollMs,
    () => {
      mark();
      poll.reset(pollMs);
    },
    { tag: "follow poll", unref: true },
  );
  const stop = (): void => wake();
  signal.addEventListener("abort", stop, { once: true });
  try {
    while (!signal.aborted) {
      if (!changed) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      changed = false;
      yield;
      if (restMs > 0) await clock.sleep(restMs, { signal, tag: "follow rest" }).catch(() => {});
    }
  } finally {
    poll.stop();
    signal.removeEventListener("abort", stop);
  }
}
