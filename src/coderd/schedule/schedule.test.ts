import assert from "node:assert/strict";
import { test } from "node:test";
import { bumpedDeadline } from "./activity-bump.ts";
import { nextAllowedAutostart, nextAutostart } from "./autostart.ts";
import { deadlinesOf } from "./autostop.ts";
import { isInRange, nextTime, parseSchedule, ScheduleError } from "./cron.ts";
import { defaultQuietHours, quietHoursOf } from "./quiet-hours.ts";
import { extendProblem, ttlProblem, wholeMinutes } from "./ttl.ts";
import { Zone } from "./zone.ts";

const at = (text: string): Date => new Date(text);
const next = (schedule: string, after: string): string | undefined =>
  nextTime(parseSchedule(schedule, "weekly"), at(after))?.toISOString();

test("the next time is the next minute whose clock reading fits", () => {
  assert.equal(next("30 9 * * 1-5", "2026-11-20T09:30:00Z"), "2026-11-23T09:30:00.000Z");
  assert.equal(next("CRON_TZ=Europe/Berlin 0 8 * * *", "2026-07-01T00:00:00Z"), "2026-07-01T06:00:00.000Z");
});

test("a time that a change of clocks skips is skipped, one that it repeats happens twice", () => {
  const spring = "CRON_TZ=America/New_York 30 2 * * *";
  assert.equal(next(spring, "2026-03-07T12:00:00Z"), "2026-03-09T06:30:00.000Z");
  const autumn = "CRON_TZ=America/New_York 30 1 * * *";
  assert.equal(next(autumn, "2026-11-01T00:00:00Z"), "2026-11-01T05:30:00.000Z");
  assert.equal(next(autumn, "2026-11-01T05:30:00Z"), "2026-11-01T06:30:00.000Z");
});

test("what is no schedule is refused with what was received", () => {
  for (const wrong of [
    "",
    "* * *",
    "0 8 1 * *",
    "0 24 * * *",
    "60 8 * * *",
    "0 8 * * 7",
    "a 8 * * *",
    "CRON_TZ=Local 0 8 * * *",
    "CRON_TZ=Nowhere/Land 0 8 * * *",
    "0 8 * * 5-1",
    "*/0 8 * * *",
    `0 8 * * ${"1,".repeat(300)}1`,
  ]) {
    assert.throws(() => parseSchedule(wrong, "weekly"), ScheduleError, wrong);
  }
  assert.throws(() => parseSchedule("0 8 * * 1", "daily"), ScheduleError);
});

test("every time lies after the one before it and reads as the schedule says", () => {
  const zone = "Africa/Cairo";
  const schedule = parseSchedule(`CRON_TZ=${zone} 0 0 * * *`, "daily");
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  let time = at("2026-01-01T00:00:00Z");
  for (let n = 0; n < 400; n++) {
    const following = nextTime(schedule, time);
    assert.ok(following && following > time);
    assert.equal(clock.format(following), "00:00");
    time = following;
  }
});

test("ranges hold whole hours", () => {
  const range = parseSchedule("* 9-18 * * 1-5", "time_range");
  assert.ok(isInRange(range, at("2026-11-20T18:59:59Z")));
  assert.ok(!isInRange(range, at("2026-11-20T19:00:00Z")));
  assert.ok(!isInRange(range, at("2026-11-21T10:00:00Z")));
});

test("autostart waits for a day that the template allows", () => {
  const autostart = { schedule: "0 8 * * *", allowedDays: 0b0000100 };
  assert.deepEqual(nextAutostart(autostart, at("2026-11-20T10:00:00Z")), {
    at: at("2026-11-21T08:00:00Z"),
    allowed: false,
  });
  assert.deepEqual(nextAllowedAutostart(autostart, at("2026-11-20T10:00:00Z")), at("2026-11-25T08:00:00Z"));
  assert.equal(nextAllowedAutostart({ ...autostart, allowedDays: 0 }, at("2026-11-20T10:00:00Z")), undefined);
  assert.equal(nextAutostart({ ...autostart, schedule: "junk" }, at("2026-11-20T10:00:00Z")), undefined);
});

const facts = {
  completedAt: at("2026-11-18T10:00:00Z"),
  ttlMs: 3_600_000,
  defaultTtlMs: 7_200_000,
  allowUserAutostop: true,
  autostart: null,
  requirement: { days: 0, weeks: 0 },
  quietHours: quietHoursOf("", defaultQuietHours),
};

test("the deadline is the time to live; the template's where users may not choose", () => {
  assert.deepEqual(deadlinesOf(facts), { deadline: at("2026-11-18T11:00:00Z"), maxDeadline: null });
  const forced = deadlinesOf({ ...facts, allowUserAutostop: false });
  assert.deepEqual(forced.deadline, at("2026-11-18T12:00:00Z"));
  assert.deepEqual(deadlinesOf({ ...facts, ttlMs: null }), { deadline: null, maxDeadline: null });
});

test("a required stop lies in quiet hours on a required day and bounds the deadline", () => {
  const requirement = { days: 0b1000000, weeks: 1 };
  const { deadline, maxDeadline } = deadlinesOf({ ...facts, ttlMs: 30 * 86_400_000, requirement });
  assert.deepEqual(maxDeadline, at("2026-11-22T00:00:00Z"));
  assert.deepEqual(deadline, maxDeadline);
  assert.deepEqual(deadlinesOf({ ...facts, ttlMs: null, requirement }).deadline, maxDeadline);
});

test("quiet hours that cannot be read are the deployment's", () => {
  assert.deepEqual(quietHoursOf("CRON_TZ=Gone/Zone 0 3 * * *", defaultQuietHours).fields, "0 0 * * *");
  assert.deepEqual(quietHoursOf("CRON_TZ=UTC 0 3 * * *", defaultQuietHours).hours, [3]);
});

test("a day begins at its first moment, also where midnight is skipped", () => {
  const zone = Zone.find("America/Santiago");
  assert.ok(zone);
  const day = zone.dayOf(Date.parse("2023-09-03T12:00:00Z"));
  assert.equal(new Date(zone.startOfDay(day)).toISOString(), "2023-09-03T04:00:00.000Z");
  assert.equal(Zone.find("+02:00"), undefined);
});

test("use moves the deadline when a twentieth is used up, never back and never beyond the required stop", () => {
  const bump = {
    now: at("2026-11-18T10:30:00Z"),
    activityBumpMs: 3_600_000,
    ttlMs: 3_600_000,
    defaultTtlMs: 0,
    allowUserAutostop: true,
    deadline: at("2026-11-18T11:00:00Z"),
    maxDeadline: null,
    nextAutostart: null,
    transition: "start",
    jobCompleted: true,
    prebuild: false,
  } as const;
  assert.deepEqual(bumpedDeadline(bump), at("2026-11-18T11:30:00Z"));
  const maxDeadline = at("2026-11-18T11:10:00Z");
  assert.deepEqual(bumpedDeadline({ ...bump, maxDeadline }), maxDeadline);
  assert.equal(bumpedDeadline({ ...bump, deadline: at("2026-11-18T11:28:00Z") }), undefined);
  assert.equal(bumpedDeadline({ ...bump, transition: "stop" }), undefined);
  assert.equal(bumpedDeadline({ ...bump, prebuild: true }), undefined);
});

test("times to live and extensions have limits", () => {
  assert.equal(ttlProblem(59_999) === undefined, false);
  assert.equal(ttlProblem(60_000), undefined);
  assert.equal(ttlProblem(30 * 86_400_000 + 59_999), undefined);
  assert.notEqual(ttlProblem(30 * 86_400_000 + 60_000), undefined);
  assert.equal(wholeMinutes(119_999), 60_000);
  const now = at("2026-11-18T10:00:00Z");
  assert.notEqual(extendProblem(at("2026-11-18T10:28:59Z"), { now, startedAt: now }), undefined);
  assert.equal(extendProblem(at("2026-11-18T10:29:00Z"), { now, startedAt: now }), undefined);
});
