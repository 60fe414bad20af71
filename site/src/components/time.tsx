/** Times as people read them, with the exact one on hover; they grow older while one looks. */
import { useEffect, useState } from "react";
import { useApp } from "../api/app-context.ts";
import { dateTime, duration, relativeTime } from "../lib/format.ts";

function useNow(everyMs: number): Date {
  const { clock } = useApp();
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => clock.after(everyMs, () => setNow(clock.now())), [clock, everyMs, now]);
  return now;
}

export function Ago({ time }: { readonly time: Date }) {
  const now = useNow(30_000);
  return (
    <time dateTime={time.toISOString()} title={dateTime(time)}>
      {relativeTime(time, now)}
    </time>
  );
}

/** How long something takes so far, or took. */
export function Elapsed({ from, until }: { readonly from: Date; readonly until: Date | undefined }) {
  return until === undefined ? (
    <Running from={from} />
  ) : (
    <span className="elapsed">{duration(until.getTime() - from.getTime())}</span>
  );
}

function Running({ from }: { readonly from: Date }) {
  const now = useNow(500);
  return <span className="elapsed">{duration(now.getTime() - from.getTime())}</span>;
}
