/** How the command line shows times and durations. */

/** Go's zero time: never. */
const zero = -62_135_596_800_000;

/** `0s`, `<1m`, `1h1m`, `1d1h`: minutes, above a day hours; zero tails dropped; sign dropped. Milliseconds. */
export function durationDisplay(ms: number): string {
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  if (ms === 0) return "0s";
  if (minutes === 0) return "<1m";
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const parts = days > 0 ? [`${days}d`, `${hours % 24}h`] : [`${hours}h`, `${minutes % 60}m`];
  return parts.filter((part) => !part.startsWith("0")).join("");
}

export function relative(ms: number): string {
  if (ms === 0) return "now";
  return ms > 0 ? `in ${durationDisplay(ms)}` : `${durationDisplay(ms)} ago`;
}

/** RFC 3339 in the local zone (`TZ` decides), to the second; empty for the zero time and for null. */
export function timeDisplay(at: Date | null | undefined): string {
  if (!at || at.getTime() <= zero) return "";
  const pad = (value: number, size = 2): string => String(Math.abs(value)).padStart(size, "0");
  const offset = -at.getTimezoneOffset();
  const zone =
    offset === 0 ? "Z" : `${offset < 0 ? "-" : "+"}${pad(Math.trunc(offset / 60))}:${pad(offset % 60)}`;
  const day = `${pad(at.getFullYear(), 4)}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}${zone}`;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Nov  5 09:03:00`, local. */
export function stampDisplay(at: Date): string {
  const pad = (value: number, fill = "0"): string => String(value).padStart(2, fill);
  return `${months[at.getMonth()]} ${pad(at.getDate(), " ")} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}
