import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { realClock } from "./clock.ts";
import { MockClock } from "./mock.ts";

describe("MockClock", () => {
  it("runs every event on its way, in order", async () => {
    const clock = new MockClock();
    const seen: string[] = [];
    clock.timer(20, () => seen.push("b"));
    clock.timer(10, () => {
      seen.push("a");
      clock.timer(5, () => seen.push("a2"));
    });
    await clock.advance(20);
    assert.deepEqual(seen, ["a", "a2", "b"]);
  });

  it("advanceToNext() moves to the next event only", async () => {
    const clock = new MockClock("2026-01-01T00:00:00Z");
    let fired = 0;
    clock.timer(1000, () => fired++);
    clock.timer(2000, () => fired++);
    await clock.advanceToNext();
    assert.equal(fired, 1);
    assert.equal(clock.now().toISOString(), "2026-01-01T00:00:01.000Z");
    assert.equal(clock.peek(), 1000);
  });

  it("advanceToNext() refuses when nothing waits", async () => {
    await assert.rejects(new MockClock().advanceToNext(), /no timer/);
  });

  it("a trap sees a wait start, before or after it asks", async () => {
    const clock = new MockClock();
    const trap = clock.trap("poll");
    const sleeping = clock.sleep(30_000, { tag: "poll" });
    assert.equal(await trap.wait(), 30_000);
    await clock.advance(30_000);
    await sleeping;
  });

  it("sleep() rejects with the signal's reason and leaves no timer", async () => {
    const clock = new MockClock();
    const stop = new AbortController();
    const sleeping = clock.sleep(1000, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await assert.rejects(sleeping, /enough/);
    assert.equal(clock.peek(), undefined);
  });

  it("ticks() end without error when the signal aborts", async () => {
    const clock = new MockClock();
    const stop = new AbortController();
    let count = 0;
    const loop = (async () => {
      for await (const _ of clock.ticks(100, { signal: stop.signal })) count++;
    })();
    await clock.advance(350);
    stop.abort();
    await loop;
    assert.equal(count, 3);
  });
});

describe("realClock", () => {
  it("timer.stop() tells whether it was still waiting", async () => {
    const timer = realClock.timer(10_000, () => assert.fail("stopped timers do not fire"));
    assert.equal(timer.stop(), true);
    assert.equal(timer.stop(), false);
    await realClock.sleep(1);
  });
});
