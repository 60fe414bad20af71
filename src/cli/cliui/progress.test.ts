import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { MockClock } from "#quartz/mock.ts";
import { newProgress } from "./progress.ts";

function terminal(isTTY: boolean) {
  const clock = new MockClock();
  const stderr = Object.assign(new PassThrough(), { isTTY });
  stderr.setEncoding("utf8");
  const text = (): string => String(stderr.read() ?? "");
  return { clock, text, progress: newProgress({ stderr, clock }) };
}

describe("progress", () => {
  it("says nothing of what is quick", async () => {
    for (const isTTY of [true, false]) {
      const { clock, text, progress } = terminal(isTTY);
      const wait = progress.wait("Waiting");
      await clock.advance(499);
      wait[Symbol.dispose]();
      await clock.advance(10_000);
      assert.equal(text(), "");
    }
  });

  it("is one line where there is no terminal, however often and long", async () => {
    const { clock, text, progress } = terminal(false);
    for (let round = 0; round < 3; round++) {
      using _wait = progress.wait("Waiting");
      await clock.advance(500);
    }
    assert.equal(text(), "Waiting…\n");
  });

  it("turns at a terminal and leaves nothing behind", async () => {
    const { clock, text, progress } = terminal(true);
    const first = progress.wait("One");
    const second = progress.wait("Two");
    await clock.advance(500);
    assert.match(text(), / Two$/);
    second[Symbol.dispose]();
    second[Symbol.dispose]();
    await clock.advance(100);
    assert.match(text(), / One$/);
    first[Symbol.dispose]();
    assert.equal(text(), "\r\u001b[K");
    await clock.advance(10_000);
    assert.equal(text(), "");
  });
});
