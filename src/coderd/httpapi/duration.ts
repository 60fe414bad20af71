/** Go's text form of durations, as in `1h30m` and `24h`. */

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds; undefined if the text is no duration. */
export function parseDurationMs(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;
  let total = 0;
  let end = 0;
  for (const match of rest.matchAll(part)) {
    total += Number(match[1]) * (unitMs[match[2] ?? ""] ?? 0);
    end = match.index + match[0].length;
  }
  return rest !== "" && end === rest.length ? sign * total : undefined;
}
