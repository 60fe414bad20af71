import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDuration } from "#util/duration.ts";
import { minutesOrDuration, parseClock, parseStart, scheduleDisplay } from "./parse.ts";

describe("parseClock()", () => {
  const cases: Readonly<Record<string, readonly [number, number]>> = {
    "9:30AM": [9, 30],
    "09:30am": [9, 30],
    "12:00AM": [0, 0],
    "12PM": [12, 0],
    "9pm": [21, 0],
    "13:05": [13, 5],
    "1305": [13, 5],
    "00:00": [0, 0],
  };
  for (const [text, [hour, minute]] of Object.entries(cases)) {
    it(text, () => assert.deepEqual(parseClock(text), { hour, minute }));
  }
  for (const text of ["", "9", "25:00", "13PM", "0AM", "9:60AM", "9:30Am", "930", "9:5"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseClock(text), /start time/));
  }
});

describe("parseStart()", () => {
  it("takes days and zone, in this order, each optional", () => {
    assert.equal(parseStart(["9:30AM"], "UTC"), "CRON_TZ=UTC 30 9 * * *");
    assert.equal(parseStart(["9AM", "Mon-Fri"], "Europe/Paris"), "CRON_TZ=Europe/Paris 0 9 * * Mon-Fri");
    assert.equal(parseStart(["9AM", "Europe/Dublin"], "UTC"), "CRON_TZ=Europe/Dublin 0 9 * * *");
    assert.equal(parseStart(["9AM", "1,3-5", "Asia/Tokyo"], "UTC"), "CRON_TZ=Asia/Tokyo 0 9 * * 1,3-5");
  });
  it("refuses what it cannot read", () => {
    assert.throws(() => parseStart(["9am", "CST"], "UTC"), /days are given as/);
    assert.throws(() => parseStart(["9am", "Mon", "CST"], "UTC"), /looks like a timezone/);
    assert.throws(() => parseStart(["9am", "Mon", "Mars/Base"], "UTC"), /unknown/);
    assert.throws(() => parseStart(["9am", "Mon", "UTC", "x"], "UTC"), /a schedule is given as/);
    assert.throws(() => parseStart([], "UTC"), /start time/);
  });
});

it("schedules are shown as people say them", () => {
  assert.equal(scheduleDisplay("CRON_TZ=Europe/Dublin 30 9 * * 1-5"), "9:30AM Mon-Fri (Europe/Dublin)");
  assert.equal(scheduleDisplay("CRON_TZ=UTC 0 0 * * *"), "12:00AM daily (UTC)");
  assert.equal(scheduleDisplay("CRON_TZ=UTC 5 13 * * Mon,0"), "1:05PM Mon,Sun (UTC)");
  assert.equal(scheduleDisplay("@hourly"), "@hourly");
  assert.equal(scheduleDisplay(undefined), "");
});

it("bare digits are minutes", () => {
  assert.equal(minutesOrDuration("90", parseDuration), 5_400_000);
  assert.equal(minutesOrDuration("2h", parseDuration), 7_200_000);
  assert.throws(() => minutesOrDuration("soon", parseDuration));
});
