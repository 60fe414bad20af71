/**
 * Streams of the API for components: a workspace that is watched, and logs that are followed. A stream that breaks is
 * opened again, a little later each time; logs go on after their last line.
 */
import { useEffect, useRef, useState } from "react";
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { decode } from "#codersdk/wire-decode.ts";
import * as w from "#codersdk/wire.ts";
import { Workspace } from "#codersdk/workspaces.ts";
import { type Clock, sleep } from "../lib/clock.ts";
import type { Query } from "../lib/query.ts";
import { useApp, useQuery } from "./app-context.ts";

const firstWaitMs = 500;
const longestWaitMs = 15_000;

/** Runs `once` until it ends without error or the signal is aborted; waits longer after each failure in a row. */
export async function keepTrying(
  clock: Clock,
  signal: AbortSignal,
  once: (worked: () => void) => Promise<void>,
): Promise<void> {
  let waitMs = firstWaitMs;
  while (!signal.aborted) {
    try {
      return await once(() => (waitMs = firstWaitMs));
    } catch {
      await sleep(clock, waitMs, signal);
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
  }
}

/** An event of a watching route, of whatever kind; `data` is what the kind says. */
export const StreamEvent = w.struct("StreamEvent", { type: w.string(), data: w.json() });

/** The workspace, and each change of it. */
export function useWorkspace(owner: string, name: string): Query<Workspace> {
  const { client, clock } = useApp();
  const query = useQuery(`workspace/${owner}/${name}`, (api, signal) =>
    api.call(contract.workspaces.getByName, {
      params: { user: owner, workspacename: name },
      query: { include_deleted: true },
      signal,
    }),
  );
  const { put, refresh } = query;
  const id = query.data?.id;
  useEffect(() => {
    if (id === undefined) return;
    const stop = new AbortController();
    const { signal } = stop;
    void keepTrying(clock, signal, async (worked) => {
      try {
        const input = { params: { workspace: id }, signal };
        for await (const event of client.stream(contract.workspaces.watchWs, StreamEvent, input)) {
          worked();
          if (event.type === "data") put(decode(Workspace, event.data, { lenient: true }));
        }
      } catch (error) {
        // Sockets do not say why they were refused; a plain request does, and ends an expired session.
        if (!signal.aborted) refresh();
        throw error;
      }
      if (!signal.aborted) throw new Error("the server went away");
    });
    return () => stop.abort();
  }, [client, clock, id, put, refresh]);
  return query;
}

export interface Followed<T> {
  readonly lines: readonly T[];
  /** The server has sent the last line. */
  readonly ended: boolean;
  /** Lines at the beginning that were dropped, because there are too many to show. */
  readonly dropped: number;
}

const none: Followed<never> = { lines: [], ended: false, dropped: 0 };
const mostLines = 10_000;

/** `open` gives the lines after an id, in batches; it must depend on nothing but the key. */
export function useFollow<T extends { readonly id: number }>(
  key: string | undefined,
  open: (client: Client, after: number, signal: AbortSignal) => AsyncIterable<readonly T[]>,
): Followed<T> {
  const { client, clock } = useApp();
  const [state, setState] = useState<Followed<T> & { readonly key: string | undefined }>({ ...none, key });
  const opener = useRef(open);
  useEffect(() => {
    opener.current = open;
  });
  useEffect(() => {
    if (key === undefined) return;
    const stop = new AbortController();
    const { signal } = stop;
    let all: T[] = [];
    let dropped = 0;
    let last = 0;
    let frame = 0;
    const show = (ended: boolean): void => {
      cancelAnimationFrame(frame);
      if (!signal.aborted) setState({ key, lines: all, ended, dropped });
    };
    const follow = keepTrying(clock, signal, async (worked) => {
      for await (const lines of opener.current(client, last, signal)) {
        worked();
        const fresh = lines.filter(({ id }) => id > last);
        if (fresh.length === 0) continue;
        last = fresh.at(-1)?.id ?? last;
        all = [...all, ...fresh];
        if (all.length > mostLines) {
          dropped += all.length - mostLines;
          all = all.slice(-mostLines);
        }
        // One paint for however many lines came in between.
        cancelAnimationFrame(frame);
        frame = requestAnimationFrame(() => show(false));
      }
    });
    void follow.then(() => show(true));
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
  }, [client, clock, key]);
  return state.key === key ? state : none;
}

/** Each value of a stream that sends one a message, as a batch of one. */
export async function* single<T>(stream: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  for await (const one of stream) yield [one];
}
