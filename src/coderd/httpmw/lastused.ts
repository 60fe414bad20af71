/**
 * When keys were last used, gathered in memory and written in batches, so that requests do not wait for it. A key is noted
 * at most once an hour, or when its end has to move: a lost batch costs an hour of precision, nothing else.
 */
import type { Clock, Timer } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { newCtx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { ApiKey } from "../database/gen/models.gen.ts";
import { actors } from "../rbac/actors.ts";

/** How long the first use of a batch waits for others. */
const flushAfterMs = 5_000;
const hourMs = 3_600_000;
/** Beyond this many keys between two flushes the rest waits for its next request. */
const maxPending = 10_000;

export interface LastUsedOptions {
  readonly store: AuthzStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Sessions do not slide. */
  readonly noRefresh: boolean;
}

interface Use {
  readonly userId: string;
  readonly at: Date;
  readonly expiresAt: Date;
  readonly ip: string;
}

/** When the key ends after a use at `now`: sliding keys move once an hour of their life is gone. Pure. */
export function nextExpiry(
  key: Pick<ApiKey, "expiresAt" | "lifetimeSeconds" | "loginType">,
  now: Date,
  noRefresh: boolean,
): Date {
  const lifetimeMs = key.lifetimeSeconds * 1000;
  if (noRefresh || key.loginType === "token") return key.expiresAt;
  const left = key.expiresAt.getTime() - now.getTime();
  return left <= lifetimeMs - hourMs ? new Date(now.getTime() + lifetimeMs) : key.expiresAt;
}

export class LastUsed implements AsyncDisposable {
  readonly #options: LastUsedOptions;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #pending = new Map<string, Use>();

  constructor(options: LastUsedOptions) {
    this.#options = options;
  }

  note(key: ApiKey, ip: string): void {
    const { clock, noRefresh } = this.#options;
    const now = clock.now();
    const expiresAt = nextExpiry(key, now, noRefresh);
    const fresh = key.lastUsed !== null && now.getTime() - key.lastUsed.getTime() < hourMs;
    if (fresh && expiresAt === key.expiresAt) return;
    if (this.#pending.has(key.id) || this.#pending.size >= maxPending) return;
    this.#pending.set(key.id, { userId: key.userId, at: now, expiresAt, ip });
    this.#timer ??= clock.timer(flushAfterMs, () => void this.flush(), { tag: "last-used", unref: true });
  }

  /** Writes what is pending, after what is being written. Never fails: it is only bookkeeping. */
  flush(): Promise<void> {
    this.#timer?.stop();
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const batch = this.#pending;
    if (batch.size === 0) return;
    this.#pending = new Map();
    const { store, log, clock } = this.#options;
    const ctx = newCtx({
      actor: actors.system,
      signal: new AbortController().signal,
      log,
      requestId: "00000000-0000-0000-0000-000000000000",
      clock,
    });
    const uses = Array.from(batch.values());
    try {
      await store.updateKeysUse(ctx, {
        ids: Array.from(batch.keys()),
        lastUsed: uses.map(({ at }) => at),
        expiresAt: uses.map(({ expiresAt }) => expiresAt),
        ipAddresses: uses.map(({ ip }) => ip),
      });
      const seen = new Map(uses.map(({ userId, at }) => [userId, at]));
      await store.updateUsersLastSeen(ctx, { ids: Array.from(seen.keys()), seen: Array.from(seen.values()) });
    } catch (error) {
      log.warn("the last uses of keys could not be written", { error, keys: batch.size });
    }
  }

  /** Writes what is left. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }
}
