/** Durations in Go's text form, and in the form with days and weeks that options take. Unit in code: milliseconds. */

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const maxMs = 2 ** 63 / 1e6;

/** Parses `1.5h`, `-3m`, `1w2d3h`, `0`. Throws naming what it received. Range: that of 64-bit nanoseconds. */
export function parseDuration(text: string): number {
  const fail = (): never => {
    throw new Error(`invalid duration ${JSON.stringify(text)}: want numbers with units, such as 1h30m or 2d`);
  };
  const match = /^([+-]?)(.+)$/s.exec(text);
  const body = match?.[2] ?? fail();
  if (body === "0") return 0;
  let total = 0;
  let end = 0;
  for (const part of body.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)/gy)) {
    const [whole, number = "", unit = ""] = part;
    if ((unit === "d" || unit === "w") && number.includes(".")) fail();
    total += Number(number) * (unitMs[unit] ?? fail());
    end = part.index + whole.length;
  }
  if (end !== body.length || total > maxMs) fail();
  return match?.[1] === "-" ? -total : total;
}

/** Go's form: `168h0m0s`, `1m30s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const sign = ms < 0 ? "-" : "";
  const abs = Math.abs(ms);
  if (abs < 1e-3) return `${sign}${trim(abs * 1e6)}ns`;
  if (abs < 1) return `${sign}${trim(abs * 1e3)}µs`;
  if (abs < 1000) return `${sign}${trim(abs)}ms`;
  const hours = Math.floor(abs / 3_600_000);
  const minutes = Math.floor((abs % 3_600_000) / 60_000);
  const seconds = trim((abs % 60_000) / 1000);
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(9)));
}
