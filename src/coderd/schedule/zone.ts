/** Time zones: offsets and changes of them, from the runtime's own tables. */

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** A stretch of time in which a zone's clocks keep one distance from UTC. */
export interface Stretch {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  /** What is added to UTC to get the clock's time. */
  readonly offsetMs: number;
}

export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;

  /** Undefined for a name that is no zone. */
  static find(name: string): Zone | undefined {
    // "Local" would be the server's; offsets such as "+02:00" are no names of zones.
    if (name === "" || name.toLowerCase() === "local" || /^[+-]/.test(name)) return undefined;
    try {
      return new Zone(name, new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" }));
    } catch {
      return undefined;
    }
  }

  private constructor(name: string, format: Intl.DateTimeFormat) {
    this.name = name;
    this.#format = format;
  }

  offsetMs(atMs: number): number {
    const text = this.#format.formatToParts(atMs).find(({ type }) => type === "timeZoneName")?.value ?? "";
    const match = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text);
    if (!match) return 0;
    const [, sign, hours = "0", minutes = "0", seconds = "0"] = match;
    const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === "-" ? -ms : ms;
  }

  /** Stretches from `fromMs` on, each at most a day long: no zone changes twice within one. */
  *stretches(fromMs: number, untilMs: number): Generator<Stretch, void> {
    let startMs = fromMs;
    let offsetMs = this.offsetMs(startMs);
    while (startMs < untilMs) {
      const endMs = startMs + dayMs;
      const next = this.offsetMs(endMs);
      const change = next === offsetMs ? endMs : this.#changeBetween(startMs, endMs, offsetMs);
      yield { startMs, endMs: change, offsetMs };
      startMs = change;
      offsetMs = next;
    }
  }

  /** The first whole minute with another offset. Both ends are reduced to minutes, which changes keep to. */
  #changeBetween(startMs: number, endMs: number, offsetMs: number): number {
    let low = Math.floor(startMs / minuteMs);
    let high = Math.ceil(endMs / minuteMs);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetMs(middle * minuteMs) === offsetMs) low = middle;
      else high = middle;
    }
    return high * minuteMs;
  }

  /** Days since 1970-01-01 on the zone's calendar. */
  dayOf(atMs: number): number {
    return Math.floor((atMs + this.offsetMs(atMs)) / dayMs);
  }

  /** The first moment of a day; where a change of clocks skips the whole day, of the next one. */
  startOfDay(day: number): number {
    const wallMs = day * dayMs;
    // No zone is further than a day from UTC.
    for (const { startMs, endMs, offsetMs } of this.stretches(wallMs - dayMs, wallMs + 3 * dayMs)) {
      if (endMs + offsetMs <= wallMs) continue;
      return Math.max(startMs, wallMs - offsetMs);
    }
    throw new Error(`the day ${day} does not begin in ${this.name}`);
  }
}

/** 0 is Monday. */
export const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;
