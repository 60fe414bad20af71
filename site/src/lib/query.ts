/**
 * Reads of the API for components: the last answer is shown at once when a page is opened again, and asked for anew;
 * polling rests while nobody looks at the page. A failed refresh keeps the data and adds the error.
 */
import { useCallback, useEffect, useState } from "react";
import type { Clock } from "./clock.ts";
import { Store, useStore } from "./store.ts";

export interface QueryState<T> {
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly loading: boolean;
}

const empty: QueryState<never> = { data: undefined, error: undefined, loading: true };
const mostKept = 200;

export class QueryCache {
  readonly clock: Clock;
  readonly #entries = new Map<string, Store<QueryState<unknown>>>();
  readonly #refreshers = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  entry(key: string): Store<QueryState<unknown>> {
    let found = this.#entries.get(key);
    if (found === undefined) {
      for (const old of this.#entries.keys()) {
        if (this.#entries.size < mostKept) break;
        this.#entries.delete(old);
      }
      found = new Store<QueryState<unknown>>(empty);
      this.#entries.set(key, found);
    }
    return found;
  }

  /** What components that show this key run when it is refreshed. */
  watch(key: string, refresh: () => void): () => void {
    const all = this.#refreshers.get(key) ?? new Set();
    this.#refreshers.set(key, all.add(refresh));
    return () => {
      all.delete(refresh);
      if (all.size === 0) this.#refreshers.delete(key);
    };
  }

  /** Asks again for each key that starts so and is on the screen; forgets those that are not. */
  refresh(prefix: string): void {
    for (const key of Array.from(this.#entries.keys())) {
      if (key.startsWith(prefix) && !this.#refreshers.has(key)) this.#entries.delete(key);
    }
    for (const [key, all] of Array.from(this.#refreshers)) {
      if (key.startsWith(prefix)) for (const refresh of Array.from(all)) refresh();
    }
  }

  /** After another person has signed in. */
  clear(): void {
    this.#entries.clear();
  }
}

export interface QueryOptions {
  /** Undefined: asks once. */
  readonly pollMs?: number;
}

export interface Query<T> extends QueryState<T> {
  readonly refresh: () => void;
  /** Puts in what is known from elsewhere, such as a stream. */
  readonly put: (data: T) => void;
}

/** `load` must depend on nothing but the key. */
export function useCachedQuery<T>(
  cache: QueryCache,
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { pollMs }: QueryOptions = {},
): Query<T> {
  // The key stands for the type: each caller uses its own keys.
  const store = cache.entry(key) as Store<QueryState<T>>;
  const state = useStore(store);
  const [round, setRound] = useState(0);
  const refresh = useCallback(() => setRound((now) => now + 1), []);
  useEffect(() => cache.watch(key, refresh), [cache, key, refresh]);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    let cancel = (): void => {};
    const once = async (): Promise<void> => {
      cancel();
      try {
        const data = await load(signal);
        if (!signal.aborted) store.set({ data, error: undefined, loading: false });
      } catch (cause) {
        if (signal.aborted) return;
        const error = cause instanceof Error ? cause : new Error(String(cause));
        store.set({ ...store.get(), error, loading: false });
      }
      if (pollMs !== undefined && !signal.aborted && !document.hidden) {
        cancel = cache.clock.after(pollMs, () => void once());
      }
    };
    const seen = (): void => {
      if (pollMs !== undefined && !document.hidden) void once();
    };
    document.addEventListener("visibilitychange", seen);
    void once();
    return () => {
      document.removeEventListener("visibilitychange", seen);
      cancel();
      stop.abort();
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- `load` is made anew by each render; the key stands for it.
  }, [cache, key, pollMs, round, store]);
  const put = useCallback((data: T) => store.set({ data, error: undefined, loading: false }), [store]);
  return { ...state, refresh, put };
}
