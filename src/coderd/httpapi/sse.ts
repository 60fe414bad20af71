/** Server-sent events, in the one order that stock readers accept: the event line, then one line of data. */
import { Readable } from "node:stream";
import { Response } from "#codersdk/response.ts";
import { encode } from "#codersdk/wire-encode.ts";
import type { Clock } from "#quartz/clock.ts";
import { errorResponse } from "./error-response.ts";
import type { EventStream, ServerEvent } from "./reply.ts";

export const sseHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache",
  connection: "keep-alive",
  "x-accel-buffering": "no",
};

const pingEveryMs = 15_000;

/** The body of the response; ends with the events, after an `error` event when they fail. Pings in between. */
export function sseBody(stream: EventStream, clock: Clock, signal: AbortSignal): Readable {
  const text = (event: ServerEvent<unknown>): string => {
    const data =
      event.data === undefined
        ? ""
        : `data: ${encode(event.type === "error" ? Response : stream.schema, event.data)}\n`;
    return `event: ${event.type}\n${data}\n`;
  };
  async function* lines(): AsyncGenerator<string> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const events = stream.events(both)[Symbol.asyncIterator]();
    const ticks = clock
      .ticks(pingEveryMs, { signal: both, tag: "sse-ping", unref: true })
      [Symbol.asyncIterator]();
    let nextEvent = events.next();
    let nextTick = ticks.next();
    try {
      for (;;) {
        const first = await Promise.race([
          nextEvent.then((result) => ({ result })),
          nextTick.then((tick) => ({ tick })),
        ]);
        if ("result" in first) {
          if (first.result.done) return;
          yield text(first.result.value);
          nextEvent = events.next();
        } else {
          if (first.tick.done) return;
          yield "event: ping\n\n";
          nextTick = ticks.next();
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      yield `event: error\ndata: ${errorResponse(error).text}\n\n`;
    } finally {
      stop.abort(new Error("the stream ended"));
      await nextTick.catch(() => {});
      await nextEvent.catch(() => {});
      await events.return?.().catch(() => {});
    }
  }
  return Readable.from(lines(), { objectMode: false, highWaterMark: 64 * 1024 });
}
