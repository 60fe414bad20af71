/**
 * `npm run vectors -- schedule FILE`: recorded schedules, deadlines and bumps against ours. Kinds of parts that do not
 * exist yet are not yet. Errors are compared by their presence.
 */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { bumpedDeadline } from "#coderd/schedule/activity-bump.ts";
import { nextAllowedAutostart, nextAutostart } from "#coderd/schedule/autostart.ts";
import { applicableDay, deadlinesOf, weeksSinceEpoch } from "#coderd/schedule/autostop.ts";
import {
  isInRange,
  nextTime,
  parseSchedule,
  type Schedule,
  ScheduleError,
  scheduleText,
} from "#coderd/schedule/cron.ts";
import { extendProblem, ttlProblem, wholeMinutes } from "#coderd/schedule/ttl.ts";
import { Zone } from "#coderd/schedule/zone.ts";
import { matchingPreset } from "#coderd/wsbuilder/presets.ts";
import { workspaceStatus } from "#coderd/workspaceview/view.ts";
import type { VectorResult } from "../vectors.ts";

// The file's cases are trusted: their kind says which keys they have.
// oxlint-disable-next-line typescript/no-explicit-any
type Case = Readonly<Record<string, any>>;

/** What our side says, for the keys that are compared. */
type Check = (one: Case) => Readonly<Record<string, unknown>>;

const iso = (time: Date | null | undefined): string | null =>
  time ? time.toISOString().replace(/\.?0*Z$/, "Z") : null;
const date = (text: string | null): Date | null => (text === null ? null : new Date(text));
/** Milliseconds are all that we keep. */
const ms = (text: unknown): unknown =>
  typeof text === "string" && /^\d{4}-.*Z$/.test(text) ? iso(new Date(text)) : text;

function anyKind(text: string): Schedule {
  try {
    return parseSchedule(text, "weekly");
  } catch {
    return parseSchedule(text, "time_range");
  }
}

function year({ schedule: text, from }: Case) {
  const schedule = anyKind(text);
  const end = new Date(from);
  end.setUTCFullYear(end.getUTCFullYear() + 1);
  const times: number[] = [];
  for (let at = nextTime(schedule, new Date(from)); at && at < end; at = nextTime(schedule, at)) {
    times.push(at.getTime());
  }
  const deltas: [number, number][] = [];
  times.slice(1).forEach((time, n) => {
    const delta = (time - (times[n] ?? 0)) / 1000;
    const last = deltas.at(-1);
    if (last?.[0] === delta) last[1] += 1;
    else deltas.push([delta, 1]);
  });
  return { first: iso(new Date(times[0] ?? 0)), count: times.length, deltas_s: deltas };
}

function autostop(one: Case) {
  try {
    return autostopOf(one);
  } catch (error) {
    if (error instanceof RangeError) return { failed: true };
    throw error;
  }
}

function autostopOf(one: Case) {
  const { deadline, maxDeadline } = deadlinesOf({
    completedAt: new Date(one["completed_at"]),
    ttlMs: one["ttl_ms"],
    defaultTtlMs: one["default_ttl_ms"],
    allowUserAutostop: one["user_autostop"],
    autostart:
      one["autostart"] === "" ? null : { schedule: one["autostart"], allowedDays: one["autostart_days"] },
    requirement: { days: one["quiet_hours"] === "" ? 0 : one["autostop_days"], weeks: one["autostop_weeks"] },
    quietHours: parseSchedule(one["quiet_hours"] || "0 0 * * *", "daily"),
  });
  return { deadline: iso(deadline), max_deadline: iso(maxDeadline) };
}

const kinds: Readonly<Record<string, Check>> = {
  cron_parse(one) {
    try {
      const schedule = parseSchedule(one["in"], one["fn"]);
      return {
        failed: false,
        string: scheduleText(schedule),
        location: schedule.zone.name,
        cron: schedule.fields,
      };
    } catch (error) {
      if (error instanceof ScheduleError) return { failed: true };
      throw error;
    }
  },
  cron_next: (one) => ({ next: iso(nextTime(anyKind(one["schedule"]), new Date(one["from"]))) }),
  cron_next_list(one) {
    const schedule = anyKind(one["schedule"]);
    let at = new Date(one["from"]);
    const next = one["next"].map(() => iso((at = nextTime(schedule, at) ?? at)));
    return { next };
  },
  cron_next_year: year,
  cron_quirk: year,
  cron_in_range: (one) => ({
    inside: isInRange(parseSchedule(one["schedule"], "time_range"), new Date(one["at"])),
  }),
  autostart_next(one) {
    const autostart = { schedule: one["schedule"], allowedDays: one["allowed_days"] };
    const next = nextAutostart(autostart, new Date(one["at"]));
    const allowed = nextAllowedAutostart(autostart, new Date(one["at"]));
    return {
      next: iso(next?.at),
      next_is_allowed: next?.allowed,
      ...(allowed ? { next_allowed: iso(allowed) } : { failed: true }),
    };
  },
  autostop,
  autostop_dst: autostop,
  autostop_quirk: autostop,
  autostop_weeks({ at, zone: name, n }) {
    const zone = Zone.find(name);
    if (!zone) return {};
    const day = zone.dayOf(Date.parse(at));
    const applicable = applicableDay(day, n);
    return {
      weeks_since_epoch: weeksSinceEpoch(day),
      next_applicable: applicable === day ? iso(new Date(at)) : iso(new Date(zone.startOfDay(applicable))),
    };
  },
  activity_bump(one) {
    const deadline = date(one["deadline"]);
    const bumped = bumpedDeadline({
      now: new Date(one["now"]),
      activityBumpMs: one["activity_bump_ms"],
      ttlMs: one["ttl_ms"],
      defaultTtlMs: one["default_ttl_ms"],
      allowUserAutostop: one["allow_user_autostop"],
      deadline,
      maxDeadline: date(one["max_deadline"]),
      nextAutostart: date(one["next_autostart"]),
      transition: one["transition"],
      jobCompleted: one["job_completed"],
      prebuild: one["prebuild"],
    });
    return { changed: bumped !== undefined, new_deadline: iso(bumped ?? deadline) };
  },
  ttl(one) {
    const wanted: number = one["ttl_ms"] ?? 0;
    const problem = wanted === 0 ? undefined : ttlProblem(wanted);
    if (problem !== undefined) return { failed: true };
    const fallback: number = one["template_default_ms"];
    const stored = wanted === 0 ? (fallback > 0 ? fallback : null) : wholeMinutes(wanted);
    return { stored_ms: stored };
  },
  extend: (one) => ({
    failed:
      extendProblem(new Date(one["deadline"]), {
        now: new Date(one["now"]),
        startedAt: new Date(one["job_completed_at"]),
      }) !== undefined,
  }),
  status: (one) => ({ status: workspaceStatus(one["job"], one["transition"]) }),
  preset_match(one) {
    const presets = one["presets"].map(({ id, parameters }: Case) => ({
      id,
      name: id,
      isDefault: false,
      values: pairs(parameters),
    }));
    return { match: matchingPreset(presets, pairs(one["given"]))?.id ?? null };
  },
};

const pairs = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

function differs(kind: string, one: Case, ours: Readonly<Record<string, unknown>>): boolean {
  const failed =
    (typeof one["error"] === "string" && one["error"] !== "") ||
    typeof one["next_allowed_error"] === "string";
  return Object.entries(ours).some(([key, value]) => {
    if (key === "failed") return value !== failed;
    const expected = one[key];
    if (kind === "activity_bump") return !isDeepStrictEqual(ms(expected), value);
    return !isDeepStrictEqual(expected, value);
  });
}

export async function run(files: readonly string[]): Promise<VectorResult> {
  const failures: string[] = [];
  let of = 0;
  let notYet = 0;
  for (const file of files.filter((name) => !name.startsWith("-"))) {
    const { vectors }: { vectors: Record<string, Case[]> } = JSON.parse(readFileSync(file, "utf8"));
    for (const [kind, cases] of Object.entries(vectors)) {
      const check = kinds[kind];
      if (!check) {
        notYet += cases.length;
        continue;
      }
      let equal = 0;
      for (const one of cases) {
        const ours = check(one);
        if (!differs(kind, one, ours)) equal++;
        else failures.push(`${kind}: ${JSON.stringify(one)}\n  ours ${JSON.stringify(ours)}`);
      }
      of += cases.length;
      console.log(`${kind}: ${equal} of ${cases.length} equal`);
    }
  }
  return { equal: of - failures.length, of, notYet, failures };
}
