/** Schedules in words: `CRON_TZ=Europe/Berlin 30 9 * * 1-5` → "09:30 on Mon–Fri (Europe/Berlin)". Pure. */

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

export function scheduleInWords(schedule: string): string {
  const match = /^(?:CRON_TZ=(\S+)\s+)?(\d{1,2})\s+(\d{1,2})\s+\*\s+\*\s+(\S+)$/.exec(schedule.trim());
  if (match === null) return schedule;
  const [, zone, minute = "", hour = "", dow = ""] = match;
  const time = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  return `${time} ${daysInWords(dow)}${zone === undefined ? "" : ` (${zone})`}`;
}

function daysInWords(dow: string): string {
  if (dow === "*" || dow === "0-6") return "every day";
  const words = dow.split(",").map((part) => part.split("-").map(dayName).join("–"));
  return `on ${words.join(", ")}`;
}

function dayName(text: string): string {
  const number = Number(text);
  if (Number.isInteger(number)) return days[number % 7] ?? text;
  return text.slice(0, 1).toUpperCase() + text.slice(1, 3).toLowerCase();
}
