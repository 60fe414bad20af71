import assert from "node:assert/strict";
import { it } from "node:test";
import { MockClock } from "#quartz/mock.ts";
import { configOf, json, makeState, managedType, typeContext } from "../nativetest/types.ts";

/** What hashicorp/time 0.14.2 wrote for the same configuration. */
const recorded = [
  {
    type: "time_static",
    given: { rfc3339: "2030-01-31T23:30:00+02:00", triggers: { a: "b" } },
    state: {
      day: 31,
      hour: 23,
      id: "2030-01-31T23:30:00+02:00",
      minute: 30,
      month: 1,
      rfc3339: "2030-01-31T23:30:00+02:00",
      second: 0,
      triggers: { a: "b" },
      unix: 1896125400,
      year: 2030,
    },
  },
  {
    type: "time_offset",
    given: {
      base_rfc3339: "2020-01-31T23:30:00+02:00",
      offset_days: 1,
      offset_months: 1,
      offset_years: 1,
      offset_hours: 3,
      offset_minutes: 40,
    },
    state: {
      base_rfc3339: "2020-01-31T23:30:00+02:00",
      day: 2,
      hour: 3,
      id: "2020-01-31T23:30:00+02:00",
      minute: 10,
      month: 3,
      offset_days: 1,
      offset_hours: 3,
      offset_minutes: 40,
      offset_months: 1,
      offset_seconds: null,
      offset_years: 1,
      rfc3339: "2021-03-02T03:10:00+02:00",
      second: 0,
      triggers: null,
      unix: 1614647400,
      year: 2021,
    },
  },
  {
    type: "time_rotating",
    given: {
      rfc3339: "2030-01-31T23:30:00+02:00",
      rotation_days: 1,
      rotation_months: 1,
      rotation_years: 1,
      rotation_hours: 3,
      rotation_minutes: 40,
    },
    state: {
      day: 31,
      hour: 23,
      id: "2030-01-31T23:30:00+02:00",
      minute: 30,
      month: 1,
      rfc3339: "2030-01-31T23:30:00+02:00",
      rotation_days: 1,
      rotation_hours: 3,
      rotation_minutes: 40,
      rotation_months: 1,
      rotation_rfc3339: "2031-01-31T23:30:00+02:00",
      rotation_years: 1,
      second: 0,
      triggers: null,
      unix: 1927661400,
      year: 2031,
    },
  },
] as const;

it("time types write what the provider writes", async () => {
  for (const { type, given, state } of recorded) {
    const made = json(await makeState(managedType(type), given, typeContext()));
    assert.deepEqual(made, state, type);
  }
});

it("moments that nobody gave are stamped once and stay", async () => {
  const clock = new MockClock("2026-11-25T10:06:57.400Z");
  const context = typeContext({ clock });
  assert.equal(json(await makeState(managedType("time_static"), {}, context))["unix"], 1795601217);
  const offset = managedType("time_offset");
  const made = await makeState(offset, { offset_days: -3, offset_hours: 2 }, context);
  assert.equal(json(made)["rfc3339"], "2026-11-22T12:06:57Z");
  assert.equal(json(made)["id"], "2026-11-25T10:06:57Z");
  const changed = offset.plan(configOf(offset, { offset_days: 1 }), made);
  assert.deepEqual(changed.replace, []);
  assert.equal(json(changed.planned)["rfc3339"], "2026-11-26T10:06:57Z");
});

it("a rotation that is over is gone at the next look", async () => {
  const clock = new MockClock("2026-11-25T10:00:00Z");
  const context = typeContext({ clock });
  const type = managedType("time_rotating");
  const made = await makeState(type, { rotation_hours: 1 }, context);
  assert.equal(json(made)["rotation_rfc3339"], "2026-11-25T11:00:00Z");
  assert.ok(await type.read?.(made, context));
  await clock.advance(3_600_000);
  assert.equal(await type.read?.(made, context), undefined);
});

it("time_sleep waits when it is made and when it goes, and not after a cancel", async () => {
  const clock = new MockClock();
  const stop = new AbortController();
  const context = typeContext({ clock, canceled: stop.signal });
  const type = managedType("time_sleep");
  const plan = type.plan(configOf(type, { create_duration: "1m", destroy_duration: "1h30m" }), undefined);
  const made = Promise.resolve(type.create(plan.planned, context));
  await clock.advance(60_000);
  const { state } = await made;
  assert.match(String(json(state)["id"]), /^2026-01-02T03:05:05Z$/);
  const gone = Promise.resolve(type.destroy?.(state, context));
  stop.abort(new Error("canceled"));
  await assert.rejects(gone, /canceled/);
});

it("what is no time or duration is refused by name", () => {
  const detail = (name: string, given: Readonly<Record<string, unknown>>): string => {
    const type = managedType(name);
    const config = configOf(type, given);
    const [problem] = [...(type.validate?.(config) ?? []), ...type.plan(config, undefined).problems];
    return problem?.detail ?? "";
  };
  assert.match(detail("time_static", { rfc3339: "2030-02-31T00:00:00Z" }), /rfc3339 .*2030-02-31/);
  assert.match(detail("time_offset", {}), /offset_days/);
  assert.match(detail("time_rotating", {}), /rotation_rfc3339/);
  assert.match(detail("time_sleep", { create_duration: "2d" }), /create_duration .*2d/);
});
