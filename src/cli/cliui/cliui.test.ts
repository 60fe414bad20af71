import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import fc from "fast-check";
import { jobLog } from "./joblogs.ts";
import { askText, Canceled, choose, confirm } from "./prompt.ts";
import { displayWidth, renderJson, renderTable } from "./table.ts";
import { durationDisplay, relative } from "./times.ts";

describe("renderTable()", () => {
  const columns = [
    { name: "name", cell: (row: { name: string; note: string }) => row.name },
    { name: "note", cell: (row: { name: string; note: string }) => row.note },
  ];

  it("pads every cell, two blanks after each, chosen columns in order", () => {
    const rows = [
      { name: "a", note: "long note" },
      { name: "bcd", note: "" },
    ];
    const expected = ["NOTE       NAME  ", "long note  a     ", "           bcd   ", ""].join("\n");
    assert.equal(renderTable(rows, columns, ["note", "name"]), expected);
  });

  it("prints nothing for no rows", () => assert.equal(renderTable([], columns, ["name"]), ""));

  it("keeps control characters of the server out of the terminal", () => {
    const text = renderTable([{ name: "a\u001b[2Jb\nc", note: "" }], columns, ["name"]);
    assert.ok(!text.includes("\u001b"));
    assert.equal(text.split("\n").length, 3);
  });

  it("counts wide characters as two columns and combining marks as none", () => {
    assert.deepEqual([displayWidth("日本"), displayWidth("e\u0301"), displayWidth("★")], [4, 1, 1]);
  });

  it("renderJson() escapes as Go does", () => {
    assert.equal(renderJson({ a: "<&>" }), '{\n  "a": "\\u003c\\u0026\\u003e"\n}\n');
  });
});

describe("times", () => {
  const minute = 60_000;
  const cases: [number, string][] = [
    [0, "0s"],
    [59_999, "<1m"],
    [minute, "1m"],
    [60 * minute, "1h"],
    [61 * minute, "1h1m"],
    [24 * 60 * minute, "1d"],
    [25 * 60 * minute, "1d1h"],
    [-2 * minute, "2m"],
  ];
  for (const [ms, text] of cases) it(`${ms} ms is ${text}`, () => assert.equal(durationDisplay(ms), text));

  it("relative() tells the direction", () => {
    assert.deepEqual([relative(minute), relative(-minute), relative(0)], ["in 1m", "1m ago", "now"]);
  });
});

function terminal(input?: string): {
  stdin: PassThrough;
  stdout: PassThrough;
  stderr: PassThrough;
  signal: AbortSignal;
} {
  const stdin = new PassThrough();
  if (input !== undefined) stdin.end(input);
  return {
    stdin,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    signal: new AbortController().signal,
  };
}

describe("prompts on a pipe", () => {
  it("reads one line and leaves the rest", async () => {
    const term = terminal("first\nsecond\n");
    assert.equal(await askText(term, { text: "Name" }), "first");
    assert.equal(await askText(term, { text: "Name" }), "second");
  });

  it("an empty line takes the default; a bad answer is asked again", async () => {
    assert.equal(await askText(terminal("\n"), { text: "Name", default: "me" }), "me");
    const validate = (answer: string): void => {
      if (answer !== "good") throw new Error(`not ${answer}`);
    };
    const term = terminal("bad\ngood\n");
    assert.equal(await askText(term, { text: "Name", validate }), "good");
    assert.match(String(term.stderr.read()), /not bad/);
  });

  it("JSON is read until it is complete, and compacted", async () => {
    assert.equal(await askText(terminal('{"a":\n 1}\nrest'), { text: "Value" }), '{"a":1}');
  });

  it("the end of input is an error, never a hang", async () => {
    await assert.rejects(askText(terminal(""), { text: "Name" }), /EOF/);
    await assert.rejects(confirm(terminal(""), "Sure?"), /EOF/);
  });

  it("only yes goes on", async () => {
    await confirm(terminal("yes\n"), "Sure?", "no");
    await confirm(terminal("\n"), "Sure?", "yes");
    await assert.rejects(confirm(terminal("no\n"), "Sure?"), Canceled);
    await assert.rejects(confirm(terminal("\n"), "Sure?", "no"), Canceled);
    await assert.rejects(confirm(terminal("\u0003"), "Sure?"), Canceled);
  });

  it("a list refuses at once and names the option that answers", async () => {
    await assert.rejects(
      choose(terminal(), { text: "Which?", choices: [], flag: "--template" }),
      /use --template/,
    );
  });

  it("an abort ends the question", async () => {
    const stop = new AbortController();
    const asking = askText(
      { ...terminal(), stdin: new PassThrough(), signal: stop.signal },
      { text: "Name" },
    );
    stop.abort();
    await assert.rejects(asking, Canceled);
  });
});

describe("jobLog()", () => {
  const at = (ms: number): Date => new Date(Date.parse("2026-01-01T00:00:00Z") + ms);
  const job = { status: "pending", created_at: at(0), queue_position: 0 };
  const line = (ms: number, stage: string, output: string, log_level = "info") => ({
    created_at: at(ms),
    stage,
    output,
    log_level,
  });

  it("shows queue, stages, lines and lengths", () => {
    const log = jobLog();
    const text = [
      log.state({ ...job, queue_position: 2 }),
      log.state({ ...job, queue_position: 1 }),
      log.state({ ...job, status: "running", started_at: at(12) }),
      log.state({ ...job, status: "running", started_at: at(12) }),
      log.line(line(17, "Setting up", "")),
      log.line(line(20, "Planning", "hello")),
      log.line(line(21, "Planning", "details", "debug")),
      log.end({ ...job, status: "succeeded", completed_at: at(30) }),
    ].join("");
    assert.equal(
      text,
      [
        "==> ⧗ Queued (position: 2)",
        "==> ⧗ Queued (next)",
        "=== ✔ Queued [12ms]",
        "==> ⧗ Running",
        "=== ✔ Running [5ms]",
        "==> ⧗ Setting up",
        "=== ✔ Setting up [3ms]",
        "==> ⧗ Planning",
        "00:00:00.020 hello",
        "=== ✔ Planning [10ms]",
        "",
      ].join("\n"),
    );
  });

  it("marks the stage in which a job failed, once", () => {
    const log = jobLog();
    log.state({ ...job, started_at: at(1) });
    log.line(line(2, "Starting workspace", "x", "error"));
    assert.equal(
      log.end({ ...job, status: "failed", completed_at: at(5) }),
      "=== ✘ Starting workspace [3ms]\n",
    );
    assert.equal(log.end({ ...job, status: "failed", completed_at: at(5) }), "");
  });

  it("property: no input moves the cursor", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (stage, output) => {
        // oxlint-disable-next-line no-control-regex -- exactly these must not appear
        assert.doesNotMatch(jobLog().line(line(0, stage, output)), /[\u0000-\u0009\u000b-\u001f]/);
      }),
    );
  });
});
